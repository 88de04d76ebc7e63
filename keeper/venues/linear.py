"""One direction of a venue whose price does not depend on the size, in plain numbers."""

from __future__ import annotations

from dataclasses import dataclass

from keeper.core.pools import Curve, LimitExceeded


@dataclass(frozen=True, slots=True)
class Linear:
    """Implements Side: `out = sold·up // down`, for at most `most`."""

    up: int
    down: int
    most: int
    limit: str
    """What bounds it, in words."""
    curve: Curve | None = None
    """No constant product."""

    def out(self, sold: int) -> int | LimitExceeded:
        return sold * self.up // self.down if 0 < sold <= self.most else self._refusal(sold)

    def into(self, bought: int) -> int | LimitExceeded:
        """{sell raw} The least that brings it."""
        if bought <= 0:
            return self._refusal(bought)
        needed = -(-bought * self.down // self.up)
        return needed if needed <= self.most else self._refusal(needed)

    def slope(self, sold: float) -> float:
        return self.up / self.down if sold < self.most else 0.0

    def sold_at(self, slope: float) -> float:
        """All of it or nothing."""
        return float(self.most) if slope < self.up / self.down else 0.0

    def _refusal(self, amount: int) -> LimitExceeded:
        if amount <= 0:
            return LimitExceeded(f"amount: expected more than 0, was {amount}")
        return LimitExceeded(f"amount: expected at most {self.most}, {self.limit}, was {amount}")
