"""Rebalancing on set dates: whether one is due now, from the block's time and what history says of our trades."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from keeper.core import text
from keeper.core.chain import VaultView

DAY = 86_400
REST = 3_600
"""{s} After a date's last trade for so long: its further legs and slices are part of it, what comes later is not."""


class Date(StrEnum):
    """Where a date stands."""

    DUE = "due"
    GOING_ON = "going on"
    PAST = "past"


@dataclass(frozen=True, slots=True)
class Calendar:
    """`after` gives the first date after a time; a date stays open for `within`, to wait for gas or a guard.

    Dates are shifted by up to `jitter`, differently each time and as history's seed has it, so that nobody who knows
    the calendar knows the moment. Raises ValueError where a date stays open for longer than history looks back: 24 h.
    """

    after: Callable[[int], int]
    within: int = DAY
    """{s}"""
    jitter: int = 0
    """{s}"""

    def __post_init__(self) -> None:
        if not 0 < self.within <= DAY:
            raise ValueError(f"calendar: expected a date to stay open for at most 24h, was {self.within} s")
        if self.jitter < 0:
            raise ValueError(f"calendar: expected a jitter of 0 s or more, was {self.jitter}")

    def at(self, view: VaultView) -> tuple[Date, str]:
        """Where the latest date stands at this block, and in words why nothing is done."""
        now, seed = view.block.timestamp, view.history.seed
        date = self.latest(now, seed)
        if date is None:
            return Date.PAST, f"waiting for the calendar, about {utc(self.after(now))}"
        since = view.history.since(date - 1)
        if not since:
            return Date.DUE, ""
        if now < since[-1].at + REST:
            return Date.GOING_ON, ""
        done, following = f"acted on {text.duration(now - since[-1].at)} ago", utc(self.after(now))
        return Date.PAST, f"the calendar's date of {utc(date)} was {done}, the next one is about {following}"

    def latest(self, now: int, seed: int) -> int | None:
        """{Unix seconds} The last date that has come and is still open, jitter included."""
        found = None
        date = self.after(now - self.within - self.jitter - 1)
        while date <= now:
            shifted = date + self.shift(date, seed)
            if shifted <= now < shifted + self.within:
                found = shifted
            date = self.after(date)
        return found

    def shift(self, date: int, seed: int) -> int:
        """{s} 0 to `jitter`, evenly spread over dates and vaults, and the same whenever it is asked for."""
        drawn = hashlib.sha256(f"{seed}\0{date}".encode()).digest()[:8]
        return int.from_bytes(drawn, "big") % (self.jitter + 1)


def every(seconds: int) -> Callable[[int], int]:
    """Dates that lie so far apart, counted from 1970-01-01 00:00 UTC, so that a restart does not move them."""
    return lambda after: (after // seconds + 1) * seconds


def utc(at: int) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M} UTC"
