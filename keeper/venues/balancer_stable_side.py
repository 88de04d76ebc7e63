"""One direction of a stable pool as a search sees it: slopes in floats, amounts by the exact integers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf, prod, sqrt
from typing import Protocol

from keeper.core.pools import Curve, NoQuote
from keeper.venues.balancer_fixed import ONE
from keeper.venues.balancer_stable import AMP_PRECISION
from keeper.venues.balancer_state import MAX_BALANCE

_ROUNDS = 80
_CLOSE = 1e-15


class Balanced(Protocol):
    """What a side is made from: a stable pool's state."""

    @property
    def balances(self) -> tuple[int, ...]: ...
    @property
    def scales(self) -> tuple[int, ...]: ...
    @property
    def scaled(self) -> tuple[int, ...]: ...
    @property
    def fee(self) -> int: ...
    @property
    def amp(self) -> int: ...
    @property
    def d(self) -> int: ...
    def out_raw(self, sold: int, bought: int, amount: int) -> int | NoQuote: ...


@dataclass(frozen=True, slots=True)
class StableSide:
    """Implements Side. Balances are shares of D: u of what is sold, v of what is bought.

    With K = k/(u·v) the invariant is `Ann·(u + v + others) + 1 = Ann + K`, and the price along it
    `m = (Ann + K/u)/(Ann + K/v)`.
    """

    answer: Callable[[int, int, int], int | NoQuote]
    way: tuple[int, int]
    most: int
    ann: float
    k: float
    """Over n², the product of 1/(n·share) over all balances that stay."""
    start: float
    """u before the sale."""
    product: float
    """u·v before the sale."""
    sum: float
    """1 − others − 1/Ann, so that `u + v = sum + k/(Ann·u·v)`."""
    unit: float
    """{share of D / sell raw} that is left after the fee."""
    price: float
    """{buy raw / sell raw} where both tokens are worth the same."""

    @classmethod
    def of(cls, state: Balanced, sold: int, bought: int) -> StableSide:
        """Of a pool that has an invariant."""
        n, d = len(state.scaled), float(state.d)
        ann, kept = state.amp * n / AMP_PRECISION, 1 - state.fee / ONE
        others = [balance / d for i, balance in enumerate(state.scaled) if i not in (sold, bought)]
        return cls(
            answer=state.out_raw,
            way=(sold, bought),
            most=MAX_BALANCE - state.balances[sold],
            ann=ann,
            k=prod(1 / (n * share) for share in others) / (n * n),
            start=state.scaled[sold] / d,
            product=state.scaled[sold] / d * (state.scaled[bought] / d),
            sum=1 - sum(others) - 1 / ann,
            unit=state.scales[sold] / ONE * kept / d,
            price=state.scales[sold] / state.scales[bought] * kept,
        )

    @property
    def curve(self) -> Curve | None:
        return None

    def out(self, sold: int) -> int | NoQuote:
        return self.answer(*self.way, sold)

    def slope(self, sold: float) -> float:
        """v from the quadratic formula, in the form that does not cancel."""
        if sold >= self.most:
            return 0.0
        u = self.start + sold * self.unit
        c, half = self.k / (self.ann * u), (u - self.sum) / 2
        root = sqrt(half * half + c)
        v = c / (half + root) if half > 0 else root - half
        k = self.k / (u * v)
        return (self.ann + k / u) / (self.ann + k / v) * self.price

    def sold_at(self, slope: float) -> float:
        """By Newton's method on w = u·v, which the price m leaves as the only unknown.

        The price gives `v = m·u + q` with `q = Ann·(m − 1)·w²/k`, the invariant `u + v = s` with `s = sum + k/(Ann·w)`,
        so that w is where `(s − q)·(m·s + q)` falls to `(1 + m)²·w`. All of it falls as w grows, whatever m is.
        """
        m = slope / self.price
        if slope <= 0:
            return float(self.most)
        # Where the others hold more than D, s falls to 0 at a w that no balances have.
        w, low, high = self.product, 0.0, self.k / (self.ann * -self.sum) if self.sum < 0 else inf
        for _ in range(_ROUNDS):
            more, q = self.k / (self.ann * w), self.ann * (m - 1) * w * w / self.k
            s = self.sum + more
            u, v = s - q, m * s + q
            over = u * v - (1 + m) * (1 + m) * w
            low, high = (w, high) if over > 0 else (low, w)
            steeper, bent = -more / w, 2 * q / w
            fall = (steeper - bent) * v + u * (m * steeper + bent) - (1 + m) * (1 + m)
            step = w - over / fall
            if abs(step - w) <= _CLOSE * w:
                break
            w = step if low < step < high else (low + min(high, 4 * w)) / 2
        sold = (u / (1 + m) - self.start) / self.unit
        return min(max(sold, 0.0), float(self.most))
