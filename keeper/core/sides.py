"""One direction of a pool in plain numbers, as a search for the best split needs it."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

from keeper.core.pools import Curve, NoQuote, PoolState
from keeper.core.units import Token, TokenAmount

_STEP, _LEAST = 1e-5, 10**4
"""A slope is measured over this share of what is sold, or over so many raw units."""
_SHOWS, _WIDER = 10**6, 32
"""{buy raw} A step that brings less is widened so many times: rounding would show, and of a token with few decimals a
small step brings nothing at all."""
_ROUNDS = 40
_CLOSE = 1e-7


@dataclass(frozen=True, slots=True)
class Searched:
    """The side of any pool, from nothing but its exact quotes: for families that have no closed form, and slow."""

    state: PoolState
    sell: Token
    buy: Token
    most: int = (1 << 112) - 1
    curve: Curve | None = None

    def out(self, sold: int) -> int | NoQuote:
        found = self.state.out_for(TokenAmount(self.sell, sold), self.buy)
        return found.raw if isinstance(found, TokenAmount) else found

    def slope(self, sold: float) -> float:
        at = int(sold)
        before, step = self.out(at) if at else 0, max(int(at * _STEP), _LEAST)
        while at + step <= self.most:
            after = self.out(at + step)
            if not isinstance(before, int) or not isinstance(after, int):
                break
            if after - before >= _SHOWS:
                return (after - before) / step
            step *= _WIDER
        return 0.0

    def sold_at(self, slope: float) -> float:
        """Halves the orders of magnitude first, then goes along straight lines of 1/√slope, which a constant product
        is one of."""
        low, high = 0.0, float(_LEAST)
        if slope <= 0 or self.slope(low) <= slope:
            return 0.0 if slope > 0 else float(self.most)
        while high < self.most and self.slope(high) > slope:
            low, high = high, high * _WIDER
        high = min(high, float(self.most))
        for _ in range(_ROUNDS):
            if high - low <= _CLOSE * high:
                break
            at = self._between(low, high, slope)
            low, high = (at, high) if self.slope(at) > slope else (low, at)
        return low

    def _between(self, low: float, high: float, slope: float) -> float:
        """Where a straight line would meet it, but well inside."""
        here, there = self.slope(low), self.slope(high)
        middle = (low + high) / 2
        if there <= 0 or here <= there:
            return middle
        w, w_low, w_high = 1 / sqrt(slope), 1 / sqrt(here), 1 / sqrt(there)
        share = (w - w_low) / (w_high - w_low)
        return low + (high - low) * min(0.999, max(0.001, share + (0.002 if share < 0.5 else -0.002)))
