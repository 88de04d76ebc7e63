"""Nouns of a back-test: what one policy did with a vault over a price history, and what that cost.

Money is exact. Floats are for curves and for figures that are estimates anyway: nothing is traded by them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from keeper.core.units import USD, Token, TokenAmount

YEAR = 365 * 86_400
"""{s}"""


@dataclass(frozen=True, slots=True)
class Fill:
    """One trade of a back-test (Unix seconds). Costs in USD; `basis` is the pool's mid being worse than the market."""

    at: int
    sell: TokenAmount
    got: TokenAmount
    notional: TokenAmount
    fee: TokenAmount
    basis: TokenAmount
    impact: TokenAmount
    gas: TokenAmount


@dataclass(frozen=True, slots=True)
class Point:
    """The vault at one moment, after what it did there: value in USD, weights and widest drift as shares."""

    at: int
    value: float
    weights: tuple[float, ...]
    drift: float
    """Widest drift of an asset, over the trigger of the band that all policies are measured against."""


@dataclass(frozen=True, slots=True)
class Ride:
    """One policy over one price history."""

    policy: str
    said: str
    """Its settings, for people."""
    seconds: int
    end: TokenAmount
    mean_value: TokenAmount
    """{USD} Over time: what yearly shares are shares of."""
    fills: tuple[Fill, ...]
    tracking_error: float
    """Of a year: standard deviation of the vault's return less that of its targets, before costs."""
    outside: float
    """Share of the time that the vault was left outside the band."""
    refused: Mapping[str, int]
    """How often each guard refused, or the plan said no: looks."""
    points: tuple[Point, ...]

    @property
    def years(self) -> Fraction:
        return Fraction(self.seconds, YEAR)

    @property
    def traded(self) -> TokenAmount:
        return _sum(fill.notional for fill in self.fills)

    @property
    def costs(self) -> Mapping[str, TokenAmount]:
        """{USD} By part; together they are what trading cost."""
        return {
            "fee": _sum(fill.fee for fill in self.fills),
            "basis": _sum(fill.basis for fill in self.fills),
            "impact": _sum(fill.impact for fill in self.fills),
            "gas": _sum(fill.gas for fill in self.fills),
        }

    @property
    def cost(self) -> TokenAmount:
        return _sum(self.costs.values())

    @property
    def trades_a_year(self) -> Fraction:
        return len(self.fills) / self.years

    def a_year(self, amount: TokenAmount) -> Fraction:
        """A sum over the whole ride as a share of the vault in a year."""
        return amount.over(self.mean_value) / self.years

    def total(self, aversion: Fraction) -> Fraction:
        """Share of the vault in a year: G/2 of the tracking variance, and every cost (MATH 1)."""
        variance = Fraction(self.tracking_error) ** 2
        return aversion / 2 * variance + self.a_year(self.cost)


@dataclass(frozen=True, slots=True)
class Backtest:
    """Policies on the same prices; the vault's own is the first."""

    vault: str
    tokens: tuple[Token, ...]
    targets: tuple[int, ...]
    """{bps}"""
    triggers: tuple[Fraction, ...]
    """{bps} Of the band that time outside is measured against, asset by asset."""
    source: str
    """Where the prices came from."""
    market: str
    """What trading cost, for people."""
    start: int
    step: int
    """{s} Between two prices."""
    rides: tuple[Ride, ...]

    @property
    def own(self) -> Ride:
        return self.rides[0]


def _sum(amounts: Iterable[TokenAmount]) -> TokenAmount:
    total = TokenAmount.zero(USD)
    for amount in amounts:
        total = total + amount
    return total
