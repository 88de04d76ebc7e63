"""One direction of a pool in plain numbers, as a search for the best split needs it."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Protocol

from keeper.core.chain import NoQuote, PoolState
from keeper.core.units import Token, TokenAmount

Curve = tuple[float, float, float]
"""(x, y, g): selling d brings g·d·y/(x + g·d), whatever d is. A constant product with the share kept g."""


class Side(Protocol):
    """Selling one token of a pool for another at one block; amounts are raw units. Floats only steer a search: what a
    trade brings is what `out` says, exact to the wei."""

    @property
    def most(self) -> int:
        """{sell raw} Beyond this there is no quote."""
        ...

    @property
    def curve(self) -> Curve | None:
        """Where all of this side is one constant product."""
        ...

    def out(self, sold: int) -> int | NoQuote: ...

    def slope(self, sold: float) -> float:
        """{buy raw / sell raw} of the next unit once `sold` is sold, fee included; 0 where no more can be sold."""
        ...

    def sold_at(self, slope: float) -> float:
        """{sell raw} How much is sold when the next unit brings only `slope`; 0 where the first brings less."""
        ...


_STEP, _LEAST = 1e-5, 10**4
"""A slope is measured over this share of what is sold, but over so many raw units that rounding does not show."""
_ROUNDS = 80


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
        step = max(int(at * _STEP), _LEAST)
        before, after = self.out(at) if at else 0, self.out(at + step)
        return (after - before) / step if isinstance(before, int) and isinstance(after, int) else 0.0

    def sold_at(self, slope: float) -> float:
        low, high = 0.0, float(_LEAST)
        while self.slope(high) > slope and high < self.most:
            low, high = high, high * 2
        for _ in range(_ROUNDS):
            middle = (low + high) / 2
            low, high = (middle, high) if self.slope(middle) > slope else (low, middle)
        return low if isfinite(low) else 0.0
