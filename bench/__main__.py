"""`python -m bench`: every section, or those named; tables on the terminal, and JSON where asked for."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from bench.apart import measure_apart, open_console
from bench.machine import machine

SECTIONS = ("reads", "cpu", "trips", "quotes", "routing", "tick", "broadcast", "startup", "journal", "memory", "policy")
"""Each is a module here with TITLE, UNIT and rows(pace), or with a report(pace) of its own."""


def main() -> None:
    parser = _parser()
    options = parser.parse_args()
    if unknown := sorted({*options.sections} - {*SECTIONS}):
        parser.error(f"expected sections of {', '.join(SECTIONS)}, was {', '.join(unknown)}")
    about = machine() | {"quick": options.quick}
    open_console().print(", ".join(f"{key}: {value}" for key, value in about.items()), highlight=False)
    tables = {name: measure_apart(name, quick=options.quick) for name in options.sections or SECTIONS}
    if options.json:
        options.json.write_text(json.dumps({"machine": about, "sections": tables}, indent=1) + "\n", "utf-8")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=", ".join(SECTIONS))
    parser.add_argument("--quick", action="store_true", help="few rounds and small sizes: shows that everything runs")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure to FILE as well")
    return parser


if __name__ == "__main__":
    main()
