"""The least that a leg may bring: less than its quote by the tolerance, but never less than the oracle allows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from keeper.core.chain import VaultView
from keeper.core.plan import Leg, Order, OrderLeg, Route
from keeper.core.units import WHOLE_BPS, Rounding, TokenAmount, ratio_to_int
from keeper.routing.cost import impact_ratio


@dataclass(frozen=True, slots=True)
class Floors:
    """`slippage` and `max_deviation` in bps, `deadline` in seconds after the block. Raises ValueError."""

    slippage: int
    max_deviation: int
    deadline: int

    def __post_init__(self) -> None:
        for name, bps in (("slippage", self.slippage), ("max_deviation", self.max_deviation)):
            if not 0 <= bps < WHOLE_BPS:
                raise ValueError(f"{name}: expected 0 to {WHOLE_BPS - 1} bps, was {bps}")
        if self.deadline <= 0:
            raise ValueError(f"deadline: expected more than 0 s, was {self.deadline}")

    def order(self, routes: Sequence[Route], view: VaultView) -> Order:
        """Raises KeyError where a token has no usable price."""
        legs = tuple(self.under(leg, view) for route in routes for leg in route.legs)
        return Order(legs, view.block.timestamp + self.deadline, self.slippage)

    def under(self, leg: Leg, view: VaultView) -> OrderLeg:
        """Raises KeyError where one of its tokens has no usable price."""
        tolerated = 1 - Fraction(self.slippage, WHOLE_BPS)
        return OrderLeg(leg, leg.quote.times(tolerated, Rounding.UP), self._by_oracle(leg, view))

    def _by_oracle(self, leg: Leg, view: VaultView) -> TokenAmount:
        """MATH 6: oracle value · (1 − φ − impact − max deviation), of what we give at its high price and of what we
        get at its low one, so that a doubt about the price raises the floor."""
        given, received = view.price(leg.sell.token).high.ratio, view.price(leg.buy).low.ratio
        # {buy raw} = {sell whole} * {USD / sell whole} / {USD / buy whole} * {buy raw / buy whole}
        worth = leg.sell.whole * given / received * 10**leg.buy.decimals
        kept = 1 - leg.fee - impact_ratio(leg) - Fraction(self.max_deviation, WHOLE_BPS)
        return TokenAmount(leg.buy, max(0, ratio_to_int(worth * kept, Rounding.UP)))
