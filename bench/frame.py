"""How anything here is measured: contestants for the same work take turns, and every figure keeps its spread.

    rows = measure("10 reads", [Contestant("ours", …), Contestant("peer", …), Contestant("floor", …)], pace, work=10)

The floor is the least that the work can cost on this machine, by a bare program that does nothing else. A peer is what
somebody would use instead. Within a round each contestant is timed once, and the next round begins with the next one,
so that a busy moment of the machine meets all of them alike.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median, quantiles
from typing import Any, Literal

from rich.box import SIMPLE_HEAD
from rich.table import Table

Clock = Callable[[], float]
"""{s}"""
Role = Literal["ours", "peer", "floor"]

FEWEST = 3
"""Rounds without which there is no spread to speak of."""
SHADES: Mapping[Role, str] = {"ours": "bold", "peer": "", "floor": "dim"}


@dataclass(frozen=True, slots=True)
class Pace:
    """How long to measure, and how large."""

    rounds: int
    sample: float
    """{s} One timing lasts at least this long: quick work is repeated within it."""
    most: float
    """{s} A group starts no further round after this, but has FEWEST."""
    largest: int

    def sizes(self, *sizes: int) -> list[int]:
        return [size for size in sizes if size <= self.largest]


FULL = Pace(rounds=31, sample=0.005, most=30.0, largest=1_000_000)
QUICK = Pace(rounds=3, sample=0.001, most=3.0, largest=10)
"""Shows that everything still runs; its figures mean little."""


@dataclass(frozen=True, slots=True)
class Contestant:
    """One way to do the work. `note` is told beside its figures, such as the requests it makes; `prepare` makes each
    run possible, and is not timed. A prepared run that goes on when its work is done returns the moment of that."""

    role: Role
    name: str
    run: Callable[[], object]
    note: str = ""
    prepare: Callable[[], object] | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """What one contestant took. Times are seconds for the whole work, `work` units of it."""

    what: str
    role: Role
    name: str
    work: int
    rounds: int
    median: float
    low: float
    """First quartile."""
    high: float
    """Third quartile."""
    over_floor: float | None
    """Median of the ratios to the floor of the same round; None where the group has no floor."""
    over_ours: float
    """The same, to the group's first contestant of ours."""
    note: str

    @property
    def per_second(self) -> float:
        return self.work / self.median


def measure(
    what: str, contestants: Sequence[Contestant], pace: Pace, work: int = 1, clock: Clock = time.perf_counter
) -> list[Row]:
    """Times all contestants in turns. The first run of each is a warm-up and does not count.

    With `time.thread_time` as the clock it is this thread's own work that is told, and none of its waiting."""
    repeats = [_repeats(contestant, pace) for contestant in contestants]
    times: list[list[float]] = [[] for _ in contestants]
    ends = time.perf_counter() + pace.most
    for number in range(pace.rounds):
        if number >= FEWEST and time.perf_counter() > ends:
            break
        gc.collect()
        for step in range(len(contestants)):
            at = (number + step) % len(contestants)
            times[at].append(_time(contestants[at], repeats[at], clock))
    floor = _first(contestants, times, "floor")
    ours = _first(contestants, times, "ours")
    assert ours is not None, f"{what}: nothing of ours"
    return [_row(what, who, work, mine, floor, ours) for who, mine in zip(contestants, times, strict=True)]


def _repeats(contestant: Contestant, pace: Pace) -> int:
    _time(contestant, 1)
    return max(1, round(pace.sample / _time(contestant, 1)))


def _time(contestant: Contestant, repeats: int, clock: Clock = time.perf_counter) -> float:
    if contestant.prepare is not None:
        return sum(_prepared(contestant.prepare, contestant.run, clock) for _ in range(repeats)) / repeats
    begun = clock()
    for _ in range(repeats):
        contestant.run()
    return (clock() - begun) / repeats


def _prepared(prepare: Callable[[], object], run: Callable[[], object], clock: Clock) -> float:
    prepare()
    begun = clock()
    done = run()
    return (done if isinstance(done, float) else clock()) - begun


def _first(contestants: Sequence[Contestant], times: list[list[float]], role: Role) -> list[float] | None:
    return next((mine for who, mine in zip(contestants, times, strict=True) if who.role == role), None)


def _row(
    what: str, who: Contestant, work: int, times: list[float], floor: list[float] | None, ours: list[float]
) -> Row:
    low, _, high = quantiles(times, n=4, method="inclusive")
    over_floor = None if floor is None else _ratio(times, floor)
    return Row(
        what, who.role, who.name, work, len(times), median(times), low, high, over_floor, _ratio(times, ours), who.note
    )


def _ratio(times: list[float], others: list[float]) -> float:
    return median(mine / other for mine, other in zip(times, others, strict=True))


# --- showing ---------------------------------------------------------------------------------------------------------


def table(title: str, unit: str, rows: Iterable[Row]) -> Table:
    """`unit` is what `work` counts, such as `reads`."""
    shown = Table(title=title, box=SIMPLE_HEAD, title_justify="left", title_style="bold")
    for heading in ("", "", "who"):
        shown.add_column(heading)
    for heading in ("median", "quartiles", f"{unit}/s", "× floor", "× ours"):
        shown.add_column(heading, justify="right", no_wrap=True)
    shown.add_column("")
    before = ""
    for row in rows:
        if before and row.what != before:
            shown.add_section()
        shown.add_row(row.what if row.what != before else "", *_cells(row), style=SHADES[row.role])
        before = row.what
    return shown


def _cells(row: Row) -> list[str]:
    over_floor = "" if row.over_floor is None else _digits(row.over_floor)
    spread = f"{duration(row.low)} – {duration(row.high)}"
    rates = [_digits(row.per_second), over_floor, _digits(row.over_ours)]
    return [row.role, row.name, duration(row.median), spread, *rates, row.note]


def duration(seconds: float) -> str:
    """Three digits and a unit: `1.23 ms`."""
    unit, scale = next(((u, s) for u, s in (("s", 1), ("ms", 1e3), ("µs", 1e6)) if seconds * s >= 1), ("ns", 1e9))
    return f"{_digits(seconds * scale)} {unit}"


def _digits(number: float) -> str:
    """Three digits, or all before the point where there are more."""
    return f"{number:,.{0 if number >= 99.95 else 1 if number >= 9.995 else 2}f}"


def as_json(title: str, unit: str, rows: Iterable[Row]) -> dict[str, Any]:
    return {"title": title, "unit": unit, "rows": [asdict(row) | {"per_second": row.per_second} for row in rows]}
