"""What a peg knows from look to look, and what it says of itself. Pure.

A trace is all that a peg needs of the past, however long that is: a mean instead of the prices that made it, a
beginning instead of every look since. So a steady tick costs the journal one small row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from typing import Any

from keeper.core.units import WHOLE_BPS, Address, Token, TokenAmount

PRICE_SCALE = 10**18
"""Means are integers of this part of one whole quote coin: exact enough, and their digits do not grow."""

BEYOND_WALL = "beyond_wall"
"""Code of the hold that people must hear of."""

BUY, SELL = -1, 1
"""Sides of a peg: below it the coin is bought, above it sold."""


@dataclass(frozen=True, slots=True)
class Episode:
    """The time since the price is out of its band on one side; `side` is 0 while it is inside."""

    side: int = 0
    since: int = 0
    """Unix seconds."""
    since_block: int = 0


@dataclass(frozen=True, slots=True)
class Renewal:
    """How one side's capacity comes back: its last observations, favourable (1) or not (0), newest last, and when they
    last were enough (Unix seconds)."""

    observed: str = ""
    at: int = 0


@dataclass(frozen=True, slots=True)
class Mean:
    """A pool's price over time. `looks` are those since it was last begun: at the first one, after a silence, and
    after a price beyond the wall."""

    price: int
    """{quote whole per coin whole, times PRICE_SCALE}"""
    at: int
    """Unix seconds."""
    looks: int = 0


@dataclass(frozen=True, slots=True)
class Trace:
    """A peg's past at one block. `settings` names the configuration that it was made with: another one begins anew."""

    settings: str
    at: int
    """Unix seconds."""
    block: int
    means: Mapping[Address, Mean] = field(default_factory=dict)
    """By pool."""
    episode: Episode = Episode()
    renewals: Mapping[int, Renewal] = field(default_factory=dict)
    """By side."""
    observed_at: int = 0
    """Unix seconds of the last observation that counted for renewals."""
    rate: int = 0
    """{PRICE_SCALE} The last rate that was believed, where the peg is a rate."""


def trace_out(trace: Trace) -> dict[str, Any]:
    """JSON-ready and exact; equal traces give equal fields."""
    return {
        "settings": trace.settings,
        "at": trace.at,
        "block": trace.block,
        "means": {pool: [str(mean.price), mean.at, mean.looks] for pool, mean in sorted(trace.means.items())},
        "episode": asdict(trace.episode),
        "renewals": {str(side): asdict(renewal) for side, renewal in sorted(trace.renewals.items())},
        "observed_at": trace.observed_at,
        "rate": str(trace.rate),
    }


def trace_in(data: Mapping[str, Any]) -> Trace:
    return Trace(
        settings=data["settings"],
        at=data["at"],
        block=data["block"],
        means={Address(pool): Mean(int(price), at, looks) for pool, (price, at, looks) in data["means"].items()},
        episode=Episode(**data["episode"]),
        renewals={int(side): Renewal(**renewal) for side, renewal in data["renewals"].items()},
        observed_at=data["observed_at"],
        rate=int(data["rate"]),
    )


# --- what a plan says of it ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Opinion:
    """What one source says a coin is worth, in the peg's unit: a range, since the quote coin's own price is one."""

    source: str
    low: Fraction | None = None
    high: Fraction | None = None
    why_not: str = ""
    """Why it does not count. A mean that is not yet warm has a price all the same: it may stop, but not act."""


@dataclass(frozen=True, slots=True)
class Stock:
    """What may still be traded on one side: of its capacity within the window, and of the inventory. Numeraire."""

    side: int
    capacity: TokenAmount
    left: TokenAmount
    inventory: TokenAmount


@dataclass(frozen=True, slots=True)
class PegLine:
    """A coin beside its peg. Prices are in `unit` per whole coin, bands in bps of the peg."""

    coin: Token
    against: Token
    unit: str
    """USD, or the symbol of the quote coin."""
    peg: Fraction
    trigger: int
    destination: int
    wall: int
    opinions: tuple[Opinion, ...] = ()
    spot: Fraction | None = None
    """Where the pool stands that is furthest out."""
    mean: Fraction | None = None
    """That pool's mean over time."""
    worst: Fraction | None = None
    """The source that says least: it decides whether to act."""
    par: Fraction | None = None
    """{quote whole per coin whole} The peg as a pool's price."""
    looks: int = 0
    """Of the mean that has the fewest."""
    needed: int = 0
    """Looks that a mean needs before it is believed."""
    stocks: tuple[Stock, ...] = ()
    trace: Trace | None = None

    def deviation(self, price: Fraction) -> Fraction:
        """{bps} Of the peg; negative below it."""
        return (price / self.peg - 1) * WHOLE_BPS

    @property
    def away(self) -> Fraction:
        """{bps} Peg deviation by the source that says least; 0 where none is known."""
        return Fraction(0) if self.worst is None else self.deviation(self.worst)
