"""What stops a vault by itself, and how it lets go again. Pure.

A breaker trips on evidence that no single draft shows. Its latch is journaled, so it survives restarts. By hand it
stands until somebody clears it. With a rest it ends by itself: at once, or, half open, after one trade of at most
`trial` has succeeded.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from keeper.core import text
from keeper.core.units import TokenAmount

BREAKER = "breaker:"
"""How the reason of a halt begins that a breaker has latched."""


@dataclass(frozen=True, slots=True)
class Rearm:
    """`after` seconds of rest, None for by hand; then first one trade of at most `trial` (in the numeraire)."""

    after: int | None = None
    trial: TokenAmount | None = None

    def __str__(self) -> str:
        if self.after is None:
            return "until a person clears it"
        rest = f"rests for {text.duration(self.after)}"
        return rest if self.trial is None else f"{rest}, then one trade of at most {text.usd(self.trial)} decides"


@dataclass(frozen=True, slots=True)
class Trip:
    """A breaker has found its evidence. `reason` says both figures."""

    breaker: str
    reason: str
    rearm: Rearm = field(default_factory=Rearm)


@dataclass(frozen=True, slots=True)
class Latch:
    """A trip as it was journaled. `trying_at` is when its rest was over and its trial began (Unix seconds)."""

    breaker: str
    at: int
    rearm: Rearm = field(default_factory=Rearm)
    trying_at: int | None = None

    @property
    def rests_until(self) -> int | None:
        """Unix seconds; None where a person must clear it."""
        return None if self.rearm.after is None else self.at + self.rearm.after


def trial_of(latches: Iterable[Latch]) -> TokenAmount | None:
    """The most that the next trade may be worth, while a breaker tries whether the vault may go on."""
    tried = (latch.rearm.trial for latch in latches if latch.trying_at is not None)
    return min((most for most in tried if most is not None), default=None)


@dataclass(frozen=True, slots=True)
class Ending:
    """A transaction of the vault that is over: when it was mined (Unix seconds), and whether it traded or reverted."""

    at: int
    succeeded: bool


class Step(StrEnum):
    """What becomes of a latch now."""

    KEEP = "keep"
    TRY = "try"
    CLEAR = "clear"
    AGAIN = "again"


def step(latch: Latch, *, tripping: bool, endings: Iterable[Ending], now: int) -> Step:
    """`tripping`: its breaker finds evidence since this latch. A rest that ends with new evidence begins again, and so
    does a trial that fails; a trial that succeeds ends it."""
    if latch.rests_until is None or now < latch.rests_until:
        return Step.KEEP
    if tripping:
        return Step.AGAIN
    if latch.rearm.trial is None:
        return Step.CLEAR
    if latch.trying_at is None:
        return Step.TRY
    tried = next((ending for ending in endings if ending.at > latch.trying_at), None)
    if tried is None:
        return Step.KEEP
    return Step.CLEAR if tried.succeeded else Step.AGAIN


WHY = {Step.CLEAR: "its rest is over", Step.AGAIN: "latched again: its evidence stands, or its trial failed"}
"""What the journal says of a latch that ends."""
