"""Balancer V2 stable pools at one block: stable, meta-stable, phantom and composable ones."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from keeper.core.pools import NoLiquidity, NoQuote, Side
from keeper.core.units import Token
from keeper.venues.balancer_fixed import ONE
from keeper.venues.balancer_stable import AMP_PRECISION, in_given_out, invariant, invariant_up, out_given_in
from keeper.venues.balancer_stable_side import StableSide
from keeper.venues.balancer_state import BalancerState

KIND = "balancer_stable"


@dataclass(frozen=True, slots=True)
class StableState(BalancerState):
    """A stable pool at one block. `amp` is A·n^(n−1) in thousandths, as a ramp has it at that block; `rounds_up` pools
    are those of before June 2022, whose invariant rounds up."""

    amp: int
    rounds_up: bool
    d: int = field(init=False, repr=False, compare=False)
    """The invariant; 0 where the contract finds none, and reverts."""

    def __post_init__(self) -> None:
        # The base by its name: a slotted dataclass is made twice, and super() would look at the first.
        BalancerState.__post_init__(self)
        try:
            found = (invariant_up if self.rounds_up else invariant)(self.amp, self.scaled)
        except ArithmeticError:
            found = 0
        object.__setattr__(self, "d", found)

    def refusal(self, sell: Token, buy: Token) -> NoQuote | None:
        found = BalancerState.refusal(self, sell, buy)
        return found if found or self.d else NoLiquidity("the pool is too far out of balance to trade")

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
        return StableSide.of(self, self.pool.tokens.index(sell), self.pool.tokens.index(buy))
