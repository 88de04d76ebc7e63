"""A side of a pool that is used on other sides as well: what it brings when its turn comes, and what the next unit
brings when all have had theirs.

The second is what the search compares, because once all is sold it does not matter to the pool which side went first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt

from keeper.core.pools import Curve, NoQuote, Side

_ROUNDS = 40
_CLOSE = 1e-6
"""Of a sale, or of how far the slope comes down: what all of them are together settles in rounds anyway."""


@dataclass(frozen=True, slots=True)
class Closed:
    """Implements Side: nothing more can be sold, and why."""

    why: NoQuote
    most: int = 0
    curve: Curve | None = None

    def out(self, sold: int) -> NoQuote:  # noqa: ARG002  whatever it is
        return self.why

    def slope(self, sold: float) -> float:  # noqa: ARG002
        return 0.0

    def sold_at(self, slope: float) -> float:  # noqa: ARG002
        return 0.0


@dataclass(frozen=True, slots=True)
class Shared:
    """Implements Side. `mine` is the side after those that go before it; `then` gives it as it is once `sold` and all
    that comes later is sold too."""

    mine: Side
    then: Callable[[int], Side]
    curve: Curve | None = None

    @property
    def most(self) -> int:
        return self.mine.most

    def out(self, sold: int) -> int | NoQuote:
        return self.mine.out(sold)

    def slope(self, sold: float) -> float:
        return self.then(int(sold)).slope(0.0)

    def sold_at(self, slope: float) -> float:
        """Between nothing and what it would sell if nothing came later, along straight lines of 1/√slope."""
        low, high = 0.0, self.mine.sold_at(slope)
        start = first = self.slope(low)
        last = self.slope(high)
        if first <= slope or last <= 0:
            return 0.0
        for _ in range(_ROUNDS):
            if high - low <= _CLOSE * high or first <= last:
                break
            share = (1 / sqrt(slope) - 1 / sqrt(first)) / (1 / sqrt(last) - 1 / sqrt(first))
            at = low + (high - low) * min(0.999, max(0.001, share))
            here = self.slope(at)
            if abs(here - slope) < _CLOSE * (start - slope):
                return at
            if here > slope:
                low, first = at, here
            else:
                high, last = at, here
        return low
