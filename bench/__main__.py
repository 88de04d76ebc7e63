"""`python -m bench`: every section, or those named; tables on the terminal, and JSON where asked for."""

from __future__ import annotations

import argparse
import json
from importlib import import_module
from pathlib import Path
from typing import Any

from rich.console import Console

from bench.frame import FULL, QUICK, as_json, table
from bench.machine import machine

WIDTH = 140
"""{characters} Of a table in a file."""
SECTIONS = ("reads", "cpu", "trips", "quotes", "routing", "tick", "broadcast", "startup", "journal", "memory", "policy")
"""Each is a module here with TITLE, UNIT and rows(pace), or with a report(pace) of its own."""


def main() -> None:
    parser = _parser()
    options = parser.parse_args()
    if unknown := sorted({*options.sections} - {*SECTIONS}):
        parser.error(f"expected sections of {', '.join(SECTIONS)}, was {', '.join(unknown)}")
    pace = QUICK if options.quick else FULL
    console = Console()
    console = console if console.is_terminal else Console(width=WIDTH)
    about = machine() | {"quick": options.quick}
    console.print(", ".join(f"{key}: {value}" for key, value in about.items()), highlight=False)
    tables: dict[str, Any] = {}
    for name in options.sections or SECTIONS:
        section = import_module(f"bench.{name}")
        if hasattr(section, "report"):
            shown, tables[name] = section.report(pace)
        else:
            rows = section.rows(pace)
            shown, tables[name] = table(section.TITLE, section.UNIT, rows), as_json(section.TITLE, section.UNIT, rows)
        console.print()
        console.print(shown)
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
