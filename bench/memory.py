"""Memory: ten thousand ticks over a thousand vaults, block after block: what grows, and what the journal comes to.

Each tick the head is twelve seconds older, and every twenty minutes prices move a little: vaults are told in full in
their turn, and samples are noted as they would be. Half of the way is a warm-up. What `journal.keep` does is measured
by cycles that change, as a vault that holds adds no row.
"""

from __future__ import annotations

import gc
import os
import time
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from pathlib import Path
from statistics import linear_regression
from tempfile import TemporaryDirectory
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Group
from rich.table import Table
from rich.text import Text

from bench.frame import Pace
from bench.journal import changing_record
from bench.local import Local, local_market
from bench.tick import Loop, ticking
from bench.vaults import fund, holding_vaults
from keeper.journal.sql import SqlJournal
from keeper.local.paths import START, Moment
from keeper.telemetry.logs import configure

TITLE = "Memory: vaults that hold, tick after tick"
SPACING, DAY = 12, 86_400
"""{s}"""
LOOKS = 20
"""Measurements of the second half."""
TOLD_EVERY = 100
"""Ticks between two moves of the prices, which feeds must be told of within the hour."""
KEPT_DAYS = 3


@dataclass(frozen=True, slots=True)
class Found:
    """What one run came to. Sizes in bytes."""

    vaults: int
    ticks: int
    resident: int
    """After the warm-up."""
    grown: int
    """From there to the end."""
    slope: float
    """Bytes for each tick of the second half, by least squares."""
    files: tuple[int, int]
    """Open ones after the warm-up and at the end."""
    journal: int
    """Of the file at the end, its log left aside."""
    per_day: float
    """What the second half added, for a day of such ticks."""
    seconds: float


def report(pace: Pace) -> tuple[Group, dict[str, Any]]:
    is_full = pace.largest > 10
    vaults, ticks = (1_000, 10_000) if is_full else (4, 20)
    ticked, kept = _run(vaults, ticks), _kept(days=12, changes=1_000 if is_full else 50)
    shown = Group(_table(ticked), *(Text(line) for line in _said(kept)))
    return shown, {"title": TITLE, "ticks": asdict(ticked), "kept": asdict(kept)}


def _run(vaults: int, ticks: int) -> Found:
    with local_market() as local, TemporaryDirectory() as folder:
        fund(local, vaults)
        with (Path(folder) / "log").open("w") as log:
            undo = configure(stream=log)
            try:
                loaded = holding_vaults(local, vaults, Path(folder), clock="chain")
                with ticking(loaded) as (loop, _):
                    return _measured(local, loop, ticks, Path(folder) / "bench.db")
            finally:
                undo()


def _measured(local: Local, loop: Loop, ticks: int, journal: Path) -> Found:
    begun = time.perf_counter()
    _ticks(local, loop, ticks // 2)
    files, size, resident = _open_files(), journal.stat().st_size, [_resident()]
    for _ in range(LOOKS):
        _ticks(local, loop, ticks // 2 // LOOKS)
        resident.append(_resident())
    step = ticks // 2 // LOOKS
    slope = linear_regression([step * look for look in range(LOOKS + 1)], resident).slope
    grown = journal.stat().st_size - size
    return Found(
        vaults=len(loop.names),
        ticks=ticks,
        resident=resident[0],
        grown=resident[-1] - resident[0],
        slope=slope,
        files=(files, _open_files()),
        journal=journal.stat().st_size,
        per_day=grown / (step * LOOKS) * DAY / SPACING,
        seconds=time.perf_counter() - begun,
    )


def _ticks(local: Local, loop: Loop, count: int) -> None:
    for number in range(count):
        if number % TOLD_EVERY == 0:
            shift = Fraction(1_000 + number // TOLD_EVERY % 3, 1_000)
            prices = {coin: price * (shift if coin == "ETH" else 1) for coin, price in START.items()}
            local.market.move(Moment(0, "", prices, prices, prices))
        local.rpc.call("evm_increaseTime", [SPACING])
        local.rpc.batch([("evm_mine", [])], nullable=True)
        turns = loop.turns.tick()
        assert len(turns) == len(loop.names), "a tick failed"
        assert turns[0].record.kind == "hold", turns[0].record


def _resident() -> int:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@dataclass(frozen=True, slots=True)
class Kept:
    """A journal of so many changed cycles a day, with nothing forgotten and with `journal.keep`. Sizes in bytes."""

    days: int
    changes: int
    keep_days: int
    whole: int
    kept: int


def _kept(days: int, changes: int) -> Kept:
    sizes = []
    for keep in (None, KEPT_DAYS):
        with TemporaryDirectory() as folder:
            path = Path(folder) / "kept.db"
            with SqlJournal(f"sqlite:///{path}") as journal:
                for day in range(days):
                    _write_day(journal, day, changes)
                    while keep and journal.prune((day + 1 - keep) * DAY) != (0, 0):
                        pass
            sizes.append(path.stat().st_size)
    return Kept(days, changes, KEPT_DAYS, *sizes)


def _write_day(journal: SqlJournal, day: int, changes: int) -> None:
    made = (changing_record(f"vault{number}", f"code {day % 2}") for number in range(changes))
    journal.record_cycles([replace(record, at=day * DAY) for record in made])


def _table(each: Found) -> Table:
    shown = Table(title=TITLE, box=SIMPLE_HEAD, title_justify="left", title_style="bold")
    for heading in ("vaults", "ticks", "resident", "grown", "a tick", "open files", "journal", "a day", "took"):
        shown.add_column(heading, justify="right")
    shown.add_row(
        f"{each.vaults:,}",
        f"{each.ticks:,}",
        _megabytes(each.resident),
        _megabytes(each.grown),
        f"{each.slope:,.0f} B",
        f"{each.files[0]} → {each.files[1]}",
        _megabytes(each.journal),
        _megabytes(each.per_day),
        f"{each.seconds:,.0f} s",
    )
    return shown


def _said(kept: Kept) -> list[str]:
    a_row = kept.whole / kept.days / kept.changes
    return [
        f"A changed cycle is {a_row / 1e3:,.1f} kB of journal: {kept.changes:,} a day are "
        f"{_megabytes(kept.whole / kept.days)} a day, {_megabytes(kept.whole)} after {kept.days} days.",
        f"With journal.keep: {kept.keep_days * 24}h it stays at {_megabytes(kept.kept)}.",
    ]


def _megabytes(size: float) -> str:
    return f"{size / 1e6:,.1f} MB"
