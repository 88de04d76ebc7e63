"""Balancer V2 stable pools at one block: stable, meta-stable, phantom and composable ones."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import sqrt

from keeper.core.chain import NoLiquidity, NoQuote
from keeper.core.sides import Curve, Side
from keeper.core.units import Token
from keeper.venues.balancer_fixed import ONE
from keeper.venues.balancer_stable import AMP_PRECISION, in_given_out, invariant, invariant_up, out_given_in
from keeper.venues.balancer_state import MAX_BALANCE, BalancerState

KIND = "balancer_stable"
_ROUNDS = 60


@dataclass(frozen=True, slots=True)
class StableState(BalancerState):
    """A stable pool at one block. `amp` is A·n^(n−1) in thousandths, as a ramp has it at that block; `rounds_up` pools
    are those of before June 2022, whose invariant rounds up."""

    amp: int
    rounds_up: bool

    @property
    def d(self) -> int:
        """The invariant. Raises ArithmeticError where it has none."""
        return (invariant_up if self.rounds_up else invariant)(self.amp, self.scaled)

    def refusal(self, sell: Token, buy: Token) -> NoQuote | None:
        # The base by its name: a slotted dataclass is made twice, and super() would look at the first.
        if found := BalancerState.refusal(self, sell, buy):
            return found
        try:
            return None if self.d else NoLiquidity("the pool is empty")
        except ArithmeticError as error:
            return NoLiquidity(str(error))

    def given_in(self, sold: int, bought: int, amount: int) -> int:
        return out_given_in(self.amp, self.scaled, self.d, sold, bought, amount)

    def given_out(self, sold: int, bought: int, amount: int) -> int:
        return in_given_out(self.amp, self.scaled, self.d, sold, bought, amount)

    def marginal(self, sell: Token, buy: Token) -> Fraction | NoQuote:
        """{buy raw / sell raw} `(Ann + K/x)/(Ann + K/y)` with `K = D^(n+1)/(n^n·Πx)`, less the fee.

        From `Ann·S + D = Ann·D + K`, held at D while x and y change.
        """
        if refusal := self.refusal(sell, buy):
            return refusal
        i, j = self.pool.tokens.index(sell), self.pool.tokens.index(buy)
        n, d = len(self.scaled), self.d
        k = Fraction(d)
        for balance in self.scaled:
            k *= Fraction(d, n * balance)
        ann = Fraction(self.amp * n, AMP_PRECISION)
        # {buy raw / sell raw} = {buy scaled / sell scaled} * {sell scaled / sell raw} / {buy scaled / buy raw}
        scaled = (ann + k / self.scaled[i]) / (ann + k / self.scaled[j])
        return scaled * Fraction(self.scales[i] * (ONE - self.fee), self.scales[j] * ONE)

    def side(self, sell: Token, buy: Token) -> Side | NoQuote:
        if refusal := self.refusal(sell, buy):
            return refusal
        return stable_side(self, self.pool.tokens.index(sell), self.pool.tokens.index(buy))


@dataclass(frozen=True, slots=True)
class StableSide:
    """One direction of a stable pool, D and the other balances fixed: `y² + (s + D/Ann − D)·y = c(x)`.

    Floats, scaled to 18 decimals; `unit` and `price` lead from and to raw amounts.
    """

    state: StableState
    sold: int
    bought: int
    most: int
    x: float
    d: float
    ann: float
    others: float
    """Sum of the balances that stay."""
    k: float
    """D^(n+1)/(n^n·Π) over all balances that stay: K of the invariant is k/(x·y)."""
    unit: float
    """{sell scaled / sell raw} that is left after the fee."""
    price: float
    """{buy raw / sell raw} of one scaled unit for one."""

    @property
    def curve(self) -> Curve | None:
        return None

    def out(self, sold: int) -> int | NoQuote:
        return self.state.out_raw(self.sold, self.bought, sold)

    def slope(self, sold: float) -> float:
        return 0.0 if sold >= self.most else self._slope(self.x + sold * self.unit)

    def sold_at(self, slope: float) -> float:
        """By bisection of log x: the slope falls as x grows."""
        if slope <= 0:
            return float(self.most)
        low, high = self.x, self.x + self.most * self.unit
        if self._slope(low) <= slope:
            return 0.0
        if self._slope(high) >= slope:
            return float(self.most)
        for _ in range(_ROUNDS):
            middle = sqrt(low) * sqrt(high)
            low, high = (middle, high) if self._slope(middle) > slope else (low, middle)
        return (low - self.x) / self.unit

    def _slope(self, x: float) -> float:
        y = self._other(x)
        k = self.k / x / y
        return (self.ann + k / x) / (self.ann + k / y) * self.price

    def _other(self, x: float) -> float:
        """y for x, by the form of the quadratic formula that does not cancel."""
        b = self.others + x + self.d / self.ann - self.d
        c = self.k / x / self.ann
        root = sqrt(b * b + 4 * c)
        return (root - b) / 2 if b < 0 else 2 * c / (root + b)


def stable_side(state: StableState, sold: int, bought: int) -> StableSide:
    """The scaled figures of one direction."""
    n, d = len(state.scaled), float(state.d)
    others = [float(balance) for i, balance in enumerate(state.scaled) if i not in (sold, bought)]
    k = (d / n) * (d / n) * d
    for balance in others:
        k *= d / n / balance
    kept = 1 - state.fee / ONE
    return StableSide(
        state=state,
        sold=sold,
        bought=bought,
        most=MAX_BALANCE - state.balances[sold],
        x=float(state.scaled[sold]),
        d=d,
        ann=state.amp * n / AMP_PRECISION,
        others=sum(others),
        k=k,
        unit=state.scales[sold] / ONE * kept,
        price=state.scales[sold] / state.scales[bought] * kept,
    )
