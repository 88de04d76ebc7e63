"""One direction of a constant-product pair in plain numbers."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

from keeper.core.pools import Curve, LimitExceeded, NoLiquidity


@dataclass(frozen=True, slots=True)
class ConstantProduct:
    """Implements Side: `out = sold·kept·other // (held·whole + sold·kept)`, getAmountOut with a fee of
    `1 − kept/whole`. Everything that does not depend on the amount is worked out once."""

    weight: int
    """held · whole"""
    other: int
    """{buy raw} Reserve of what is bought."""
    kept: int
    most: int
    curve: Curve

    @classmethod
    def of(cls, reserves: tuple[int, int], kept_of: tuple[int, int], most: int) -> ConstantProduct:
        """Of the reserves of what is sold and of what is bought, and the share of the amount in that trades."""
        (held, other), (kept, whole) = reserves, kept_of
        return cls(held * whole, other, kept, most, (float(held), float(other), kept / whole))

    def out(self, sold: int) -> int | LimitExceeded:
        if not 0 < sold <= self.most:
            return _too_little(sold) if sold <= 0 else self._too_much(sold)
        # {sell raw * whole} = {sell raw} * {kept of whole}
        paid = sold * self.kept
        return paid * self.other // (self.weight + paid)

    def into(self, bought: int) -> int | LimitExceeded | NoLiquidity:
        """{sell raw} `held·bought·whole // ((other − bought)·kept) + 1`, getAmountIn."""
        if bought <= 0:
            return _too_little(bought)
        if bought >= self.other:
            return NoLiquidity(f"the pool holds {self.other} raw, wanted {bought}")
        needed = self.weight * bought // ((self.other - bought) * self.kept) + 1
        return needed if needed <= self.most else self._too_much(needed)

    def slope(self, sold: float) -> float:
        """`g·x·y/(x + g·d)²`"""
        x, y, g = self.curve
        return g * x * y / (x + g * sold) ** 2 if sold < self.most else 0.0

    def sold_at(self, slope: float) -> float:
        """`(√(g·x·y/slope) − x)/g`"""
        x, y, g = self.curve
        if slope <= 0:
            return float(self.most)
        return min(max((sqrt(g * x * y / slope) - x) / g, 0.0), float(self.most))

    def _too_much(self, sold: int) -> LimitExceeded:
        return LimitExceeded(f"amount: expected at most {self.most}, was {sold}: a pair holds 2**112 - 1 at most")


def _too_little(amount: int) -> LimitExceeded:
    return LimitExceeded(f"amount: expected more than 0, was {amount}")
