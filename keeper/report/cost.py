"""What an order is expected to cost against the oracle's mid, split so that the parts add up (MATH 9)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from keeper.core.chain import Unusable, VaultView
from keeper.core.plan import Draft, Leg, Order
from keeper.core.units import USD, WHOLE_BPS, Price, Rounding, Token, TokenAmount, ratio_to_int


@dataclass(frozen=True, slots=True)
class Cost:
    """All in USD. `fee + basis + impact` is what is sold minus what the quote is worth, both at mid; gas comes on top.

    `basis` is the pool's mid being worse than the oracle's; it is negative where the pool's is better.
    """

    sold: TokenAmount
    fee: TokenAmount
    basis: TokenAmount
    impact: TokenAmount
    gas: TokenAmount | None

    @property
    def pool(self) -> TokenAmount:
        return self.fee + self.basis + self.impact

    def bps(self, part: TokenAmount) -> Fraction:
        """A part in bps of the value sold; 0 where nothing of value is sold."""
        return part.over(self.sold) * WHOLE_BPS if self.sold else Fraction(0)


def compute_cost(order: Order | None, draft: Draft | None, view: VaultView) -> Cost | None:
    """None where nothing is sold, or where one of the tokens has no usable price."""
    legs = [leg.leg for leg in order.legs] if order else []
    return cost_of(legs, view, draft.gas_value if draft else None)


def cost_of(legs: Sequence[Leg], view: VaultView, gas: TokenAmount | None = None) -> Cost | None:
    """The same of legs that are no order yet; `gas` {USD}."""
    if not legs or any(isinstance(view.prices.get(t, Unusable("")), Unusable) for leg in legs for t in _tokens(leg)):
        return None
    parts = [_leg_parts(leg, view.price(leg.sell.token).mid, view.price(leg.buy).mid) for leg in legs]
    return Cost(
        sold=_usd(part[0] for part in parts),
        fee=_usd(part[1] for part in parts),
        basis=_usd(part[2] for part in parts),
        impact=_usd(part[3] for part in parts),
        gas=gas,
    )


def _tokens(leg: Leg) -> tuple[Token, Token]:
    return leg.sell.token, leg.buy


def _leg_parts(leg: Leg, sold: Price, bought: Price) -> tuple[Fraction, Fraction, Fraction, Fraction]:
    """{USD} Value sold, fee, basis, impact."""
    value, share = leg.sell.whole * sold.ratio, leg.fee
    fee = value * share
    # {USD} = {sell raw} * {buy raw / sell raw} / {buy raw / buy whole} * {USD / buy whole}
    at_pool_mid = leg.sell.raw * (1 - share) * leg.mid / 10**leg.buy.decimals * bought.ratio
    return value, fee, value - fee - at_pool_mid, at_pool_mid - leg.quote.whole * bought.ratio


def _usd(parts: Iterable[Fraction]) -> TokenAmount:
    return TokenAmount(USD, ratio_to_int(sum(parts, Fraction(0)) * 10**USD.decimals, Rounding.UP))
