"""One direction of a StableSwap pool as a search sees it: slopes in floats, amounts by the exact integers."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, inf, log, prod, sqrt

from keeper.core.pools import Curve, LimitExceeded, NoLiquidity, NoQuote
from keeper.venues.curve_math import FEE_UNIT, PRECISION
from keeper.venues.curve_swap import MAX_BALANCE, StableSwap

_ROUNDS = 100
_CLOSE = 1e-13
"""Of a slope, relative: as near as floats come."""
_NOTHING = 1e-15
"""A slope at which a sale only empties the pool; a dynamic fee may take more than that."""


@dataclass(frozen=True, slots=True)
class CurveSide:
    """Implements Side: selling coin i of `swap` for coin j.

    In units of D, with u and v the balances of i and j, r the product of 1/(n·u_k) over all other coins and
    K = r/(n²·u·v), the invariant gives `v² + (Σu + 1/Ann - 1)·v = r/(n²·u·Ann)` and, its derivative being the same
    along the curve, the price `(Ann + K/u) / (Ann + K/v)`.
    """

    swap: StableSwap
    i: int
    j: int
    start: tuple[float, float]
    """u and v before the sale."""
    others: tuple[float, float]
    """Σu_k and r over all other coins."""
    curve: Curve | None = None

    @classmethod
    def of(cls, swap: StableSwap, i: int, j: int) -> CurveSide:
        n, shares = len(swap.xp), [x / swap.d for x in swap.xp]
        rest = [share for k, share in enumerate(shares) if k not in (i, j)]
        return cls(swap, i, j, (shares[i], shares[j]), (sum(rest), prod(1 / (n * share) for share in rest)))

    @property
    def most(self) -> int:
        return (MAX_BALANCE - self.swap.xp[self.i]) * PRECISION // self.swap.rates[self.i]

    def out(self, sold: int) -> int | NoQuote:
        if not 0 < sold <= self.most:
            return LimitExceeded(f"amount: expected 1 to {self.most}, was {sold}")
        try:
            return self.swap.out(self.i, self.j, sold)
        except ArithmeticError as error:
            return NoLiquidity(f"the pool would revert: {error}")

    def slope(self, sold: float) -> float:
        if sold > self.most:
            return 0.0
        return max(0.0, self._net(self.start[0] + sold / self._unit)) * self._exchange

    def sold_at(self, slope: float) -> float:
        """By Newton's method on the logarithms of balance and slope."""
        wanted, first = max(slope / self._exchange, _NOTHING), self.start[0]
        last = first + self.most / self._unit
        if self._net(first) <= wanted:
            return 0.0
        if self._net(last) >= wanted:
            return float(self.most)
        low, high, at, apart = log(first), log(last), log(first), inf
        for _ in range(_ROUNDS):
            net = self._net(exp(at))
            off = log(net / wanted) if net > 0 else -inf
            if abs(off) < _CLOSE or high - low < _CLOSE:
                break
            low, high = (at, high) if off > 0 else (low, at)
            # The bend leaves the fee aside: where a step does not come much nearer, the bracket is halved instead.
            step = at - off / self._bend(exp(at)) if abs(off) < apart / 2 else inf
            at, apart = step if low < step < high else (low + high) / 2, abs(off)
        return max(0.0, (exp(at) - first) * self._unit)

    # --- in units of D -----------------------------------------------------------------------------------------------

    @property
    def _unit(self) -> float:
        """{sell raw / D}"""
        return self.swap.d / (self.swap.rates[self.i] / PRECISION)

    @property
    def _exchange(self) -> float:
        """{buy raw / sell raw} where both coins are worth the same."""
        return self.swap.rates[self.i] / self.swap.rates[self.j]

    def _at(self, u: float) -> tuple[float, float, float, float]:
        """v, Ann, K and the price where coin i stands at u."""
        n, ann = len(self.swap.xp), self.swap.ann / self.swap.scale
        total, r = self.others
        half, c = (u + total + 1 / ann - 1) / 2, r / (n * n * u * ann)
        root = sqrt(half * half + c)
        v = c / (half + root) if half > 0 else root - half
        k = r / (n * n * u * v)
        return v, ann, k, (ann + k / u) / (ann + k / v)

    def _net(self, u: float) -> float:
        """The price after the fee, which itself moves with the balances where it is dynamic."""
        v, _, _, price = self._at(u)
        fee = self.swap.fee / FEE_UNIT
        more = self.swap.offpeg / FEE_UNIT - 1
        if more <= 0:
            return price * (1 - fee)
        i, j = (self.start[0] + u) / 2, (self.start[1] + v) / 2
        near = 1 + more * 4 * i * j / (i + j) ** 2
        # d(near)/du, with di/du = 1/2 and dj/du = -price/2
        steeper = more * 2 * (j - i) * (j + i * price) / (i + j) ** 3
        fee *= 1 + more
        return price * (1 - fee / near) + (self.start[1] - v) * fee * steeper / near**2

    def _bend(self, u: float) -> float:
        """d(ln price)/d(ln u), the fee left aside."""
        v, ann, k, price = self._at(u)
        over, under = ann + k / u, ann + k / v
        k_bend = price / v - 1 / u
        return u * k * ((k_bend - 1 / u) / (u * over) - (k_bend + price / v) / (v * under))
