"""What a band means in a year: trades, turnover, tracking error and cost (MATH 1). Shares of the vault, years."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import isqrt

from keeper.strategies.no_trade_region import FINE, Costs, Region

YEAR = 365 * 86_400
"""{s}"""
OVERSHOOT = Fraction(5_826, 10_000)
"""−ζ(1/2)/√(2π): how far a walk that is looked at only now and then is beyond its edge when it is seen there, in
standard deviations of one step."""
FINEST_LOOK = Fraction(295, 10_000)
"""{years} Looking this often, times (h/s)², widens the band by a tenth: (0.1/0.5826)²."""


@dataclass(frozen=True, slots=True)
class Year:
    """What is to be expected of a year. Sums for a whole vault are sums of its parts."""

    trades: Fraction | None
    """None where a trade is as small as can be, so that there is no number of them."""
    turnover: Fraction
    """One way."""
    variance: Fraction
    """Of the difference between the vault's yearly return and that of its targets."""
    cost: Fraction

    @property
    def tracking_error(self) -> Fraction:
        return root(self.variance)

    def loss(self, aversion: Fraction) -> Fraction:
        """G/2 of the variance: what the drift costs."""
        return aversion / 2 * self.variance

    def self_check(self, aversion: Fraction) -> Fraction | None:
        """Loss over cost: at the best band between 1/2 (all cost proportional) and 1 (all of it fixed)."""
        return self.loss(aversion) / self.cost if self.cost else None

    def __add__(self, other: Year) -> Year:
        both = None if self.trades is None or other.trades is None else self.trades + other.trades
        turnover, variance = self.turnover + other.turnover, self.variance + other.variance
        return Year(both, turnover, variance, self.cost + other.cost)


def mean_square(region: Region) -> Fraction:
    """(h² + m²)/6: of a drift that wanders inside its band without a trend."""
    return (region.trigger**2 + region.destination**2) / 6


def expect(region: Region, diffusion: Fraction, harm: Fraction, costs: Costs) -> Year:
    """`diffusion` is s², the drift's variance in a year; `harm` is q², tracking variance for each squared drift.

    Trades s²/(h² − m²), turnover s²/(h + m), variance q²(h² + m²)/6; each trade costs f + c·d + k·d².
    """
    both = region.trigger + region.destination
    turnover = diffusion / both
    trades = turnover / region.step if region.step else None
    gas = costs.fixed * trades if trades is not None else Fraction(0)
    cost = gas + (costs.proportional + costs.impact * region.step) * turnover
    return Year(trades, turnover, harm * mean_square(region), cost)


def widened(region: Region, deviation: Fraction, every: Fraction) -> Region:
    """As which band it acts where the drift, of yearly deviation s, is looked at `every` so many years only."""
    return Region(region.trigger + OVERSHOOT * deviation * root(every), region.destination)


def longest_look(region: Region, deviation: Fraction) -> Fraction:
    """{years} Look at least this often, or the band is more than a tenth wider than it says."""
    return FINEST_LOOK * (region.trigger / deviation) ** 2


def root(value: Fraction) -> Fraction:
    """The square root, to a FINE part, rounded down."""
    return Fraction(isqrt(value.numerator * FINE**2 // value.denominator), FINE)
