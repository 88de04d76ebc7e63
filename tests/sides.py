"""Pools of several shapes in plain numbers, for the search of routing: tests and benchmarks draw networks of them.

Each is one direction, a Side. Their quotes come from floats, rounded down: good for 15 digits, not for a chain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, sqrt

from keeper.core.pools import Curve, LimitExceeded, NoLiquidity, NoQuote

MOST = (1 << 112) - 1


@dataclass(frozen=True, slots=True)
class Product:
    """Selling x for y with `x·y` constant, a share `kept` of what is sold; integers as a pair of Uniswap v2 does."""

    x: int
    y: int
    kept_ppm: int = 997_000
    most: int = MOST

    @property
    def curve(self) -> Curve:
        return float(self.x), float(self.y), self.kept_ppm / 1e6

    def out(self, sold: int) -> int | NoQuote:
        if not 0 < sold <= self.most:
            return LimitExceeded(f"amount: expected 1 to {self.most}, was {sold}")
        paid = sold * self.kept_ppm
        return paid * self.y // (self.x * 1_000_000 + paid)

    def slope(self, sold: float) -> float:
        x, y, g = self.curve
        return g * x * y / (x + g * sold) ** 2 if sold < self.most else 0.0

    def sold_at(self, slope: float) -> float:
        x, y, g = self.curve
        return min(max(0.0, (sqrt(g * x * y / slope) - x) / g), float(self.most))


@dataclass(frozen=True, slots=True)
class Weighted:
    """`x^r·y` constant: r is the weight of what is sold over that of what is bought."""

    x: float
    y: float
    r: float
    kept: float = 0.997
    most: int = MOST
    curve: Curve | None = None

    def out(self, sold: int) -> int | NoQuote:
        return int(self.y * (1 - (self.x / (self.x + self.kept * sold)) ** self.r))

    def slope(self, sold: float) -> float:
        now = self.x + self.kept * sold
        return self.kept * self.r * self.y / now * (self.x / now) ** self.r

    def sold_at(self, slope: float) -> float:
        now = (self.kept * self.r * self.y * self.x**self.r / slope) ** (1 / (self.r + 1))
        return max(0.0, (now - self.x) / self.kept)


@dataclass(frozen=True, slots=True)
class Stable:
    """Two coins of a StableSwap with amplification `a`: `4a(x + y) + D = 4aD + D³/(4xy)`, fee on what is bought."""

    x: float
    y: float
    d: float
    a: float
    kept: float = 0.9996
    most: int = MOST
    curve: Curve | None = None

    @classmethod
    def of(cls, x: float, y: float, a: float, kept: float = 0.9996) -> Stable:
        d = x + y
        for _ in range(60):
            d_p = d**3 / (4 * x * y)
            d = (4 * a * (x + y) + 2 * d_p) * d / ((4 * a - 1) * d + 3 * d_p)
        return cls(x, y, d, a, kept)

    @property
    def reverse(self) -> Stable:
        return Stable(self.y, self.x, self.d, self.a, self.kept)

    def left(self, x: float) -> float:
        """y beside so much x."""
        b, c = x + self.d / (4 * self.a) - self.d, self.d**3 / (4 * self.a * x)
        root = sqrt(b * b + c)
        return (root - b) / 2 if b < 0 else c / (2 * (b + root))

    def out(self, sold: int) -> int | NoQuote:
        return max(0, int(self.kept * (self.y - self.left(self.x + sold))))

    def slope(self, sold: float) -> float:
        x = self.x + sold
        y = self.left(x)
        bent = self.d**3 / (4 * x * y)
        return self.kept * (4 * self.a + bent / x) / (4 * self.a + bent / y)

    def sold_at(self, slope: float) -> float:
        low, high = 0.0, self.x + self.y
        if self.slope(0.0) <= slope:
            return 0.0
        while self.slope(high) > slope:
            low, high = high, high * 2
        for _ in range(50):
            middle = (low + high) / 2
            low, high = (middle, high) if self.slope(middle) > slope else (low, middle)
        return low


@dataclass(frozen=True, slots=True)
class Ranges:
    """Concentrated liquidity: `steps` are (√price at the lower end, liquidity) of the ranges that a sale walks down
    through, from the √price `start`; below the last there is nothing."""

    start: float
    steps: tuple[tuple[float, float], ...]
    kept: float = 0.9995
    curve: Curve | None = None

    @property
    def most(self) -> int:
        return int(self._walk(inf, 0.0)[0])

    def out(self, sold: int) -> int | NoQuote:
        in_, out, _ = self._walk(float(sold), 0.0)
        return int(out) if in_ >= sold * (1 - 1e-12) else NoLiquidity("past the last range")

    def slope(self, sold: float) -> float:
        in_, _, price = self._walk(sold, 0.0)
        return self.kept * price * price if in_ >= sold else 0.0

    def sold_at(self, slope: float) -> float:
        return self._walk(inf, sqrt(slope / self.kept))[0]

    def _walk(self, sold: float, floor: float) -> tuple[float, float, float]:
        """Sold, bought and the √price after it, until `sold` is sold or the √price is `floor`."""
        price, in_, out = self.start, 0.0, 0.0
        for low, liquidity in self.steps:
            end = max(low, floor)
            if end >= price:
                break
            more = liquidity * (1 / end - 1 / price) / self.kept
            if in_ + more >= sold:
                after = 1 / (1 / price + (sold - in_) * self.kept / liquidity)
                return sold, out + liquidity * (price - after), after
            in_, out, price = in_ + more, out + liquidity * (price - end), end
        return in_, out, price


@dataclass(frozen=True, slots=True)
class Flat:
    """One price for any amount up to `most`: a vault of ERC-4626, a constant sum."""

    rate: float
    most: int
    curve: Curve | None = None

    def out(self, sold: int) -> int | NoQuote:
        return int(self.rate * sold) if 0 < sold <= self.most else NoLiquidity("takes no more")

    def slope(self, sold: float) -> float:
        return self.rate if sold < self.most else 0.0

    def sold_at(self, slope: float) -> float:
        return float(self.most) if slope <= self.rate else 0.0


TestSide = Product | Weighted | Stable | Ranges | Flat


def ranges(price: float, widths: Sequence[float], liquidities: Sequence[float], kept: float = 0.9995) -> Ranges:
    """Ranges one below the other, each ending a factor of its width in √price below the one before."""
    at, steps = sqrt(price), []
    for width, liquidity in zip(widths, liquidities, strict=True):
        at /= width
        steps.append((at, liquidity))
    return Ranges(sqrt(price), tuple(steps), kept)


@dataclass(frozen=True, slots=True)
class Basket:
    """A weighted pool of several tokens. What is kept of a sale as fee leaves the pool, so that no order matters."""

    held: tuple[float, ...]
    weights: tuple[float, ...]
    kept: float

    def side(self, sell: int, buy: int) -> Weighted:
        return Weighted(self.held[sell], self.held[buy], self.weights[sell] / self.weights[buy], self.kept)

    def after(self, sell: int, buy: int, sold: float) -> Basket:
        held = list(self.held)
        held[sell] += self.kept * sold
        held[buy] *= (self.held[sell] / held[sell]) ** (self.weights[sell] / self.weights[buy])
        return Basket(tuple(held), self.weights, self.kept)
