"""`keeper replay`: which recorded decisions come out otherwise now, and how."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from keeper.report import format as form
from keeper.report.compare import intention
from keeper.report.figures import Record
from keeper.report.page import BAD, DIM, GOOD, Page, columns

SHOWN = 50
"""Cycles that are listed; the rest is counted."""

Difference = tuple[int, str, int, Record, Record]
"""Cycle, vault, Unix seconds, the record of then, and what is decided now."""


def render_replay(repeated: int, differing: Sequence[Difference], *, is_other: bool) -> Page:
    """`is_other`: some cycles were decided with another configuration than this one."""
    page = Page()
    same = repeated - len(differing)
    head = f"{form.count(repeated, 'decision')} repeated: {same:,} the same"
    page.add((head, GOOD if not differing else ""), f", {len(differing):,} otherwise" if differing else "")
    if not repeated:
        page.add(("The journal keeps no inputs for these.", DIM))
    if not differing:
        return page
    page.blank()
    rows: list[list[Text | str]] = [
        [f"{number:,}", vault, form.utc(at), Text(intention(then), DIM), "→", told(then, now)]
        for number, vault, at, then, now in differing[:SHOWN]
    ]
    page.extend(columns(rows, "rlllll", ("cycle", "vault", "at", "decided", "", "now")))
    if len(differing) > SHOWN:
        page.add((f"and {len(differing) - SHOWN:,} more", DIM))
    if not is_other:
        page.blank()
        page.add(("These were decided with this very configuration: this keeper is not the one of then.", BAD))
    return page


def told(then: Record, now: Record) -> str:
    """What is decided now; which parts differ where the intention is the same."""
    said = intention(now)
    if said != intention(then):
        return said
    parts = sorted(key for key in {*then, *now} if then.get(key) != now.get(key))
    return f"the same, with other {', '.join(parts)}"
