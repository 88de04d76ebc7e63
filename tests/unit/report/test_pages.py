"""Every page against its golden file: read them, they are what an operator sees."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from rich.console import Console
from rich.text import Text

from keeper.report.plan import render_plan
from tests.unit.report import situations as given
from tests.unit.report.pages import GOLDEN, PAGES, WIDTH, plan


@pytest.mark.parametrize("name", PAGES)
def test_page__at_110_columns__is_the_golden_one(name: str) -> None:
    assert PAGES[name]().plain(WIDTH) == (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")


def test_golden__files__are_all_compared() -> None:
    assert {path.stem for path in GOLDEN.glob("*.txt")} == set(PAGES)


@pytest.mark.parametrize("width", [80, 100, 120])
@pytest.mark.parametrize("name", PAGES)
def test_page__from_80_columns_on__fits(name: str, width: int) -> None:
    assert max(len(line) for line in PAGES[name]().plain(width).splitlines()) <= width


@pytest.mark.parametrize("name", PAGES)
def test_page__on_a_terminal__has_the_same_words(name: str) -> None:
    out = StringIO()
    console = Console(file=out, width=WIDTH, force_terminal=True, color_system="truecolor", highlight=False)
    with console.capture() as capture:
        console.print(PAGES[name]())
    words = Text.from_ansi(capture.get()).plain.split()
    assert words == PAGES[name]().plain(WIDTH).split()


def test_plan__from_a_journaled_dict__is_the_same_page() -> None:
    stored = json.loads(json.dumps(given.trading().decision))
    page = render_plan(stored, now=given.T0 + 2, next_commands=("keeper run base.yaml", "keeper explain"))
    assert page.plain(WIDTH) == plan(given.trading()).plain(WIDTH)
