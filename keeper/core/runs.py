"""Runs of the daemon, and how long the next one waits where several have died: a keeper that dies while it signs must
not sign as often as its supervisor can start it. Pure.

One or two deaths are a reboot, or a person with `kill -9`. From the third in a row on each start waits twice as long
as the one before it, as supervisors of containers do.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

HEALTHY = 600
"""{s} A run that acted for so long died of something else than what it does at its start."""
FORGIVEN = 2
FIRST = 10
"""{s} Twenty times what a supervisor waits by itself, and several blocks of most chains."""
LONGEST = 900
"""{s} No longer: nobody replaces or cancels what is on its way meanwhile. By then a person has had eight alerts."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run: when it began to act (Unix seconds), how long it had waited before that, and whether it ended itself."""

    at: int
    waited: int = 0
    ended: bool = False


def count_deaths(runs: Iterable[Run], now: int) -> int:
    """How many runs in a row died soon after they had begun, the latest first in `runs`; `now` is in Unix seconds."""
    count, over = 0, now
    for run in runs:
        # A run whose clock was ahead of ours counts: it cannot be known for how long it acted.
        if run.ended or over - run.at >= HEALTHY:
            break
        count, over = count + 1, run.at - run.waited
    return count


def wait_after(deaths: int) -> int:
    """{s}"""
    beyond = deaths - FORGIVEN
    return 0 if beyond <= 0 else min(FIRST << min(beyond - 1, 10), LONGEST)
