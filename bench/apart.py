"""A section in a process of its own: what another one has loaded and left in memory would slow it down."""

from __future__ import annotations

import json
import multiprocessing
import sys
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console

from bench.frame import FULL, QUICK, as_json, table

WIDTH = 140
"""{characters} Of a table in a file."""


def measure_apart(name: str, *, quick: bool) -> Any:
    """Prints its tables, and returns their figures, fit for JSON. Ends the run where the section fails."""
    with TemporaryDirectory() as folder:
        place = Path(folder) / "figures.json"
        process = multiprocessing.get_context("spawn").Process(target=_measure, args=(name, quick, place))
        process.start()
        process.join()
        if process.exitcode:
            sys.exit(f"{name}: its process ended with {process.exitcode}")
        return json.loads(place.read_text("utf-8"))


def _measure(name: str, quick: bool, place: Path) -> None:
    pace, section = QUICK if quick else FULL, import_module(f"bench.{name}")
    if hasattr(section, "report"):
        shown, found = section.report(pace)
    else:
        rows = section.rows(pace)
        shown, found = table(section.TITLE, section.UNIT, rows), as_json(section.TITLE, section.UNIT, rows)
    console = open_console()
    console.print()
    console.print(shown)
    place.write_text(json.dumps(found), "utf-8")


def open_console() -> Console:
    console = Console()
    return console if console.is_terminal else Console(width=WIDTH)
