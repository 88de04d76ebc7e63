"""Exact weights: what each asset is of the whole, in integers of one common unit, so that nothing is rounded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import lcm

from keeper.core.units import WHOLE_BPS, Price, Token


def unit_values(prices: Mapping[Token, Price]) -> dict[Token, int]:
    """What one raw unit of each token is worth, in the largest unit of value in which all of them are integers."""
    # {value / raw} = {value / whole} / {raw / whole}
    each = {token: price.ratio / 10**token.decimals for token, price in prices.items()}
    scale = lcm(*(ratio.denominator for ratio in each.values()))
    return {token: ratio.numerator * (scale // ratio.denominator) for token, ratio in each.items()}


@dataclass(frozen=True, slots=True)
class Weighing:
    """Balances on the scales. `raw` and `unit` have the same tokens; values are in the common unit of `unit_values`."""

    raw: Mapping[Token, int]
    unit: Mapping[Token, int]

    @property
    def total(self) -> int:
        return sum(self.raw[token] * self.unit[token] for token in self.raw)

    def value(self, token: Token) -> int:
        return self.raw[token] * self.unit[token]

    def weight(self, token: Token) -> Fraction:
        """{bps} Raises ZeroDivisionError where everything together is worth nothing."""
        return Fraction(self.value(token) * WHOLE_BPS, self.total)

    def after(self, deltas: Mapping[Token, int]) -> Weighing:
        """The same scales once balances have changed; tokens that are not on them are left aside."""
        return Weighing({token: raw + deltas.get(token, 0) for token, raw in self.raw.items()}, self.unit)

    def drifts(self, targets: Mapping[Token, int]) -> dict[Token, Fraction]:
        """{bps} Weight minus target, exact; they sum to zero where the targets sum to the whole."""
        total = self.total
        over = {token: self.value(token) * WHOLE_BPS - target * total for token, target in targets.items()}
        return {token: Fraction(each, total) for token, each in over.items()}


def total_drift(drifts: Mapping[Token, Fraction]) -> Fraction:
    """{bps} Σ|drift|: what a rebalance must reduce."""
    return sum((abs(drift) for drift in drifts.values()), Fraction(0))
