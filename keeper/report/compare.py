"""`keeper plan NEW --against OLD`: what an edit changes in words, and what it would do now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.text import Text

from keeper.report.figures import Record, refusals, with_value
from keeper.report.page import DIM, GOOD, STRONG, WARN, Page, Piece, columns

SHOWN = 40
"""Changed values that are listed; the rest is counted."""


def render_compared(
    changed: Sequence[tuple[str, str, str]], old: Mapping[str, Record], new: Mapping[str, Record]
) -> Page:
    """`changed` are (path, old value, new value); `old` and `new` are decision records by vault."""
    page = Page()
    if changed:
        rows: list[list[Text | str]] = [[path, Text(was, DIM), "→", value] for path, was, value in changed[:SHOWN]]
        page.extend(columns(rows, "llll", ("changed", "was", "", "would be")))
        if len(changed) > SHOWN:
            page.add((f"and {len(changed) - SHOWN} more", DIM))
    else:
        page.add(("Both configurations say the same.", DIM))
    page.blank()
    for vault in [*new, *(name for name in old if name not in new)]:
        page.add((vault, STRONG), " ", *consequence(old.get(vault), new.get(vault)))
    return page


def consequence(old: Record | None, new: Record | None) -> list[Piece]:
    """`would sell 15.0696 WETH ($47,017.20) for USDC now; today: nothing (in_band)`"""
    before, after = intention(old), intention(new)
    if before == after:
        return [(f"{after}, as today", DIM)]
    acts = new is not None and bool(new["calls"]) and not refusals(new)
    return [(f"would now: {after}", WARN if acts else GOOD), (f"; today: {before}", DIM)]


def intention(record: Record | None) -> str:
    """What would be done, in a few words."""
    if record is None:
        return "not kept at all"
    trades = [f"sell {with_value(record, trade)} for {trade['buy']}" for trade in record["trades"]]
    refused = [guard["guard"] for guard in refusals(record)]
    if trades and refused:
        return f"nothing, as {refused[0]} refuses to {', '.join(trades)}"
    if trades:
        return ", ".join(trades)
    return record["calls"][0]["text"] if record["calls"] else f"nothing ({record['plan']['code']})"
