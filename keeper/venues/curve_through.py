"""A metapool's coin for one of its base pool's, as a search sees it: a swap and a deposit or a withdrawal in one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import log

from keeper.core.pools import Curve, LimitExceeded, NoLiquidity, NoQuote
from keeper.venues.curve_math import PRECISION
from keeper.venues.curve_shares import burn_slope, mint_slope
from keeper.venues.curve_side import CurveSide
from keeper.venues.curve_swap import MAX_BALANCE, StableSwap

_ROUNDS = 100
_CLOSE = 1e-12
_STEP = 1e-3
"""Of what the pool holds of the coin: where the search for a slope begins."""


@dataclass(frozen=True, slots=True)
class Below:
    """The pool under a metapool: its numbers and how many shares of it there are. Raises ArithmeticError where the
    contract would revert."""

    swap: StableSwap
    supply: int

    def deposit(self, i: int, added: int) -> int:
        return self.swap.mint([added if k == i else 0 for k in range(len(self.swap.xp))], self.supply)

    def withdraw(self, j: int, shares: int) -> int:
        return self.swap.burn(j, shares, self.supply)


@dataclass(frozen=True, slots=True)
class ThroughSide:
    """Implements Side. `own` is the metapool's part of the way, `coin` the place in the base pool, `is_out` whether
    the way ends there. The metapool takes its base pool's rate before anything moves."""

    own: CurveSide
    below: Below
    coin: int
    is_out: bool
    curve: Curve | None = None

    @property
    def most(self) -> int:
        if self.is_out:
            return self.own.most
        base = self.below.swap
        return (MAX_BALANCE - base.xp[self.coin]) * PRECISION // base.rates[self.coin]

    def out(self, sold: int) -> int | NoQuote:
        if not 0 < sold <= self.most:
            return LimitExceeded(f"amount: expected 1 to {self.most}, was {sold}")
        own = self.own
        try:
            if self.is_out:
                return self.below.withdraw(self.coin, own.swap.out(own.i, own.j, sold))
            return own.swap.out(own.i, own.j, self.below.deposit(self.coin, sold))
        except ArithmeticError as error:
            return NoLiquidity(f"the pool would revert: {error}")

    def slope(self, sold: float) -> float:
        if sold > self.most:
            return 0.0
        own, base, supply = self.own, self.below.swap, self.below.supply
        try:
            if self.is_out:
                shares = own.swap.out(own.i, own.j, int(sold)) if sold >= 1 else 0
                return own.slope(sold) * burn_slope(base, self.coin, shares, supply)
            shares = self.below.deposit(self.coin, int(sold)) if sold >= 1 else 0
            return own.slope(shares) * mint_slope(base, self.coin, sold, supply)
        except ArithmeticError:
            return 0.0

    def sold_at(self, slope: float) -> float:
        swap, k = (self.own.swap, self.own.i) if self.is_out else (self.below.swap, self.coin)
        return falling_to(self.slope, slope, swap.balances[k] * _STEP, float(self.most))


def falling_to(slope: Callable[[float], float], wanted: float, step: float, most: float) -> float:
    """Where a falling slope comes to `wanted`: 0 where it starts below, `most` where it never does. By the rule of
    false position on its logarithm, the end that stays put counted half (Illinois)."""
    if slope(0.0) <= wanted:
        return 0.0
    low, high = 0.0, step
    while (there := slope(high)) > wanted:
        if high >= most:
            return most
        low, high = high, min(high * 4, most)
    over, under = _apart(slope(low), wanted), _apart(there, wanted)
    stayed = 0
    for _ in range(_ROUNDS):
        if high - low <= _CLOSE * high or not under:
            break
        at = (low * under - high * over) / (under - over)
        at = at if low < at < high else (low + high) / 2
        off = _apart(slope(at), wanted)
        if abs(off) < _CLOSE:
            return at
        if off > 0:
            low, over, under, stayed = at, off, under / 2 if stayed > 0 else under, 1
        else:
            high, under, over, stayed = at, off, over / 2 if stayed < 0 else over, -1
    return high


def _apart(slope: float, wanted: float) -> float:
    """How far above, as a logarithm; a slope of nothing is far below."""
    return log(slope / wanted) if slope > 0 and wanted > 0 else -50.0 if slope <= wanted else 50.0
