from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from hypothesis import given as hypothesis_given
from hypothesis import strategies as st

from keeper.core.chain import Unusable, VaultView
from keeper.report.cost import Cost, compute_cost
from tests.unit.report import situations as given
from tests.unit.report.situations import Situation


def cost_of(situation: Situation) -> Cost | None:
    assert isinstance(situation.view, VaultView)
    return compute_cost(situation.order, situation.draft, situation.view)


def test_cost__of_the_worked_example__is_fee_and_impact() -> None:
    cost = cost_of(given.trading())
    assert cost
    assert cost.fee == given.usd("23.508576"), "5 bps of 47,017.152"
    assert cost.impact == given.usd("4.183424"), "what the quote lacks beside the fee"
    assert not cost.basis, "the pool's mid is the oracle's"
    assert cost.bps(cost.fee) == 5


def test_cost__pool_below_the_oracle__is_basis_and_not_impact() -> None:
    at_oracle, below = cost_of(given.trading()), cost_of(given.oracle_bound())
    assert at_oracle and below
    assert below.basis.raw > 0
    assert abs(below.pool.raw - at_oracle.pool.raw) <= 2, "the sum does not depend on the split"


@hypothesis_given(mid=st.integers(2_000, 4_000), quote=st.integers(1, 60_000))
def test_cost__any_mid_and_quote__parts_add_up_to_value_sold_minus_quote(mid: int, quote: int) -> None:
    situation = given.trading()
    assert situation.order
    leg = situation.order.legs[0]
    leg = replace(leg, leg=replace(leg.leg, mid=Fraction(mid * 10**6, 10**18), quote=given.usdc(str(quote))))
    cost = cost_of(replace(situation, order=replace(situation.order, legs=(leg,))))
    assert cost
    missing = given.usd("47017.152") - given.usd(str(quote))
    assert 0 <= cost.pool.raw - missing.raw <= 3, "each part is rounded up to one base unit"


def test_cost__without_a_price__is_not_guessed() -> None:
    situation = given.trading()
    assert isinstance(situation.view, VaultView)
    prices = {**situation.view.prices, given.USDC: Unusable("stale")}
    assert cost_of(replace(situation, view=replace(situation.view, prices=prices))) is None


def test_cost__nothing_sold__is_none() -> None:
    assert cost_of(given.tidying()) is None
