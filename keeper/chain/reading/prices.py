"""What a token is worth: sources multiplied, sources compared, and a refusal where they cannot be believed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import reduce

from keeper.core.chain import Answers, MarketPrice, Read, Reading, Unusable
from keeper.core.ports import PriceSource
from keeper.core.text import trimmed
from keeper.core.units import Price, Token, disagreement_bps

APART_BPS = 500
"""Beyond this the sources do not speak of the same thing. The guard max_oracle_disagreement judges the rest."""


@dataclass(frozen=True, slots=True)
class FixedSource:
    """A price that somebody wrote down. Config refuses it where a peg is kept with it."""

    name: str
    fixed: Price

    def reads(self) -> tuple[Read, ...]:
        return ()

    def price(self, answers: Answers, now: int) -> Reading | Unusable:  # noqa: ARG002  the seam asks with both
        return Reading(self.name, self.fixed)


@dataclass(frozen=True, slots=True)
class InverseSource:
    """A source that speaks the other way round: USD/CHF where CHF/USD is wanted."""

    source: PriceSource

    @property
    def name(self) -> str:
        return self.source.name

    def reads(self) -> tuple[Read, ...]:
        return self.source.reads()

    def price(self, answers: Answers, now: int) -> Reading | Unusable:
        found = self.source.price(answers, now)
        return found if isinstance(found, Unusable) else replace(found, price=found.price.inverse())


@dataclass(frozen=True, slots=True)
class ProductSource:
    """wstETH/ETH times ETH/USD. As stale as whichever factor is nearest to its limit, unusable if one is."""

    name: str
    factors: tuple[PriceSource, ...]

    def reads(self) -> tuple[Read, ...]:
        return tuple(dict.fromkeys(read for factor in self.factors for read in factor.reads()))

    def price(self, answers: Answers, now: int) -> Reading | Unusable:
        readings = []
        for factor in self.factors:
            reading = factor.price(answers, now)
            if isinstance(reading, Unusable):
                return Unusable(f"{self.name}: {reading.reason}")
            readings.append(reading)
        product = reduce(Price.times, (reading.price for reading in readings))
        aged = [(r.max_age - r.age, r.age, r.max_age) for r in readings if r.age is not None and r.max_age is not None]
        if not aged:
            return Reading(self.name, product)
        _, age, max_age = min(aged)
        return Reading(self.name, product, age, max_age)


@dataclass(frozen=True, slots=True)
class PriceRule:
    """How sources become one price. `low` and `high` bound every source, in the numeraire per whole token."""

    sources: tuple[PriceSource, ...]
    need: int = 1
    apart_bps: int = APART_BPS
    low: Fraction | None = None
    high: Fraction | None = None

    def reads(self) -> tuple[Read, ...]:
        return tuple(dict.fromkeys(read for source in self.sources for read in source.reads()))


def combine(token: Token, rule: PriceRule, opinions: Sequence[Reading | Unusable]) -> MarketPrice | Unusable:
    """One price from what the sources said, in declared order.

    Of one or two the first is mid; of three or more the median. The extremes are kept beside it, so that the worse
    one for us decides.
    """
    readings = [opinion for opinion in opinions if isinstance(opinion, Reading)]
    reasons = [opinion.reason for opinion in opinions if isinstance(opinion, Unusable)]
    need = max(rule.need, 1)
    if len(readings) < need:
        return Unusable("; ".join(reasons) or f"{len(readings)} price sources, {need} needed")
    ratios = [reading.price.ratio for reading in readings]
    low, high = min(ratios), max(ratios)
    if refusal := _range_refusal(rule, low, high):
        return Unusable(refusal)
    apart = disagreement_bps(low, high)
    if apart > rule.apart_bps:
        said = ", ".join(f"{r.source} {trimmed(r.price.ratio, 6)}" for r in readings)
        return Unusable(f"sources are {trimmed(apart, 1)} bps apart, {rule.apart_bps} allowed: {said}")
    quote = readings[0].price.quote
    mid, low_price, high_price = (Price(token, quote, ratio) for ratio in (_mid(ratios), low, high))
    return MarketPrice(token, mid, low_price, high_price, tuple(readings), apart)


def _range_refusal(rule: PriceRule, low: Fraction, high: Fraction) -> str:
    if low <= 0:
        return f"price: expected above 0, was {trimmed(low, 6)}"
    if rule.low is not None and low < rule.low:
        return f"price {trimmed(low, 6)} is below its sane minimum of {trimmed(rule.low, 6)}"
    if rule.high is not None and high > rule.high:
        return f"price {trimmed(high, 6)} is above its sane maximum of {trimmed(rule.high, 6)}"
    return ""


def _mid(ratios: list[Fraction]) -> Fraction:
    if len(ratios) < 3:
        return ratios[0]
    ordered = sorted(ratios)
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) / 2
