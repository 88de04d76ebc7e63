"""Balancer V2 weighted pools: the product of balances, each to the power of its weight, stays the same."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import pow as float_pow

from keeper.core.pools import Curve, NoQuote, Side
from keeper.core.units import Token
from keeper.venues.balancer_fixed import ONE, div_down, div_up, mul_down, mul_up
from keeper.venues.balancer_fixed import most_in as most_of
from keeper.venues.balancer_log_exp import pow_up, pow_up_short
from keeper.venues.balancer_state import MAX_BALANCE, BalancerState

KIND = "balancer_weighted"
MAX_RATIO = 3 * ONE // 10
"""Of the balance of either token: more is refused in one swap."""


@dataclass(frozen=True, slots=True)
class WeightedState(BalancerState):
    """A weighted pool at one block. `weights` {1e18} add up to 1; `short` pools multiply where the exponent is 1, 2
    or 4."""

    weights: tuple[int, ...]
    short: bool

    def given_in(self, sold: int, bought: int, amount: int) -> int:
        """`y·(1 − (x/(x + a))^(w_x/w_y))`"""
        held = self.scaled[sold]
        if amount > mul_down(held, MAX_RATIO):
            raise ArithmeticError("more than 30 % of what the pool holds of the token sold")
        base = div_up(held, held + amount)
        exponent = div_down(self.weights[sold], self.weights[bought])
        power = pow_up_short(base, exponent) if self.short else pow_up(base, exponent)
        return mul_down(self.scaled[bought], ONE - power) if power < ONE else 0

    def given_out(self, sold: int, bought: int, amount: int) -> int:
        """`x·((y/(y − a))^(w_y/w_x) − 1)`"""
        held = self.scaled[bought]
        if amount > mul_down(held, MAX_RATIO):
            raise ArithmeticError("more than 30 % of what the pool holds of the token bought")
        base = div_up(held, held - amount)
        exponent = div_up(self.weights[bought], self.weights[sold])
        power = pow_up_short(base, exponent) if self.short else pow_up(base, exponent)
        return mul_up(self.scaled[sold], power - ONE)

    def marginal(self, sell: Token, buy: Token) -> Fraction | NoQuote:
        """{buy raw / sell raw} `(y/w_y)/(x/w_x)`, less the fee."""
        if refusal := self.refusal(sell, buy):
            return refusal
        i, j = self.pool.tokens.index(sell), self.pool.tokens.index(buy)
        (x, y), (w_x, w_y) = (self.balances[i], self.balances[j]), (self.weights[i], self.weights[j])
        return Fraction(y * w_x * (ONE - self.fee), x * w_y * ONE)

    def side(self, sell: Token, buy: Token) -> Side | NoQuote:
        if refusal := self.refusal(sell, buy):
            return refusal
        i, j = self.pool.tokens.index(sell), self.pool.tokens.index(buy)
        ratio = self.weights[i] / self.weights[j]
        return WeightedSide(self, i, j, self._most(i), self.balances[i], self.balances[j], ratio, 1 - self.fee / ONE)

    def _most(self, sold: int) -> int:
        # Without rates a scale is a whole power of 10 times 1e18, so that nothing is cut here.
        kept = mul_down(self.scaled[sold], MAX_RATIO) * ONE // self.scales[sold]
        return min(most_of(kept, self.fee), MAX_BALANCE - self.balances[sold])


@dataclass(frozen=True, slots=True)
class WeightedSide:
    """One direction of a weighted pool: `out(d) = y·(1 − (x/(x + g·d))^w)`, in raw units."""

    state: WeightedState
    sold: int
    bought: int
    most: int
    x: float
    y: float
    w: float
    """Weight of what is sold over weight of what is bought."""
    g: float
    """Share of the amount in that is left after the fee."""

    @property
    def curve(self) -> Curve | None:
        # Even at equal weights, 30 % is the end and the power's margin is missing: not the same for whatever is sold.
        return None

    def out(self, sold: int) -> int | NoQuote:
        return self.state.out_raw(self.sold, self.bought, sold)

    def slope(self, sold: float) -> float:
        if sold >= self.most:
            return 0.0
        return self.y / self.x * self.w * self.g * float_pow(1 + self.g * sold / self.x, -(self.w + 1))

    def sold_at(self, slope: float) -> float:
        if slope <= 0:
            return float(self.most)
        grown = float_pow(self.y / self.x * self.w * self.g / slope, 1 / (self.w + 1))
        return min(max((grown - 1) * self.x / self.g, 0.0), float(self.most))
