"""A peg's trade must bring each pool nearer to the peg, and never past it."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from keeper.core.chain import VaultView
from keeper.core.plan import Draft, Rebalance
from keeper.core.units import Token, TokenAmount
from keeper.core.verdicts import Allow, Deny, Verdict
from keeper.guards import DriftFalls, MaxTurnover, NoCrossing
from tests.builders import USDC, make_draft, make_order, simulated, units
from tests.unit.strategies.peg_rides import DUSD, Ride, warm

pytestmark = pytest.mark.fault("invariant 14")


def planned(price: str = "0.9975") -> tuple[Ride, VaultView, Rebalance]:
    ride = warm(price=price)
    ride.block += 1
    view = ride.view()
    plan = ride.peg.plan(view)
    assert isinstance(plan, Rebalance)
    return ride, view, plan


def draft(ride: Ride, plan: Rebalance, sell: TokenAmount, buy: Token) -> Draft:
    got, marginal = ride.state.out_for(sell, buy), ride.state.marginal(sell.token, buy)
    assert isinstance(got, TokenAmount)
    assert isinstance(marginal, Fraction)
    order = make_order(sell, got, marginal / (1 - ride.state.pool.fee), ride.state.pool)
    return make_draft(plan, order, simulation=simulated({sell.token: -sell.raw, buy: got.raw}))


def both(draft_: Draft, view: VaultView) -> tuple[Verdict, Verdict]:
    return DriftFalls().check(draft_, view), NoCrossing().check(draft_, view)


def test_peg__its_own_trade__is_allowed_with_both_figures() -> None:
    ride, view, plan = planned()
    trade = plan.trades[0]
    falls, crosses = both(draft(ride, plan, trade.sell, trade.buy), view)
    assert isinstance(falls, Allow)
    assert (falls.measured, falls.limit) == ("20 bps from the peg after", "below 25 bps now")
    assert isinstance(crosses, Allow)


def test_peg__from_above__is_judged_the_same() -> None:
    ride, view, plan = planned("1.0025")
    trade = plan.trades[0]
    assert trade.sell.token == DUSD
    assert all(isinstance(verdict, Allow) for verdict in both(draft(ride, plan, trade.sell, trade.buy), view))


def test_peg__the_wrong_way__is_refused() -> None:
    ride, view, plan = planned()
    falls, _ = both(draft(ride, plan, units(DUSD, 50_000), USDC), view)
    assert isinstance(falls, Deny)
    assert falls.reason.startswith("the trade would not bring the pool nearer to the peg: 35 bps from the peg after")


def test_peg__too_much__crosses_and_is_refused() -> None:
    ride, view, plan = planned()
    falls, crosses = both(draft(ride, plan, units(USDC, 160_000), DUSD), view)
    assert isinstance(falls, Allow)
    assert isinstance(crosses, Deny)
    assert crosses.reason == "the pool would end 7 bps on the other side of the peg"


def test_peg__pool_that_nobody_can_look_into__is_refused() -> None:
    ride, view, plan = planned()
    trade = plan.trades[0]
    made = draft(ride, plan, trade.sell, trade.buy)
    blind = replace(view, pools=())
    assert all(isinstance(verdict, Deny) for verdict in both(made, blind))
    assert plan.peg is not None
    lost = replace(made, plan=replace(plan, peg=replace(plan.peg, par=None)))
    assert all(isinstance(verdict, Deny) for verdict in both(lost, view))


def test_peg__simulation_that_failed__is_refused_before_anything_is_measured() -> None:
    ride, view, plan = planned()
    trade = plan.trades[0]
    failed = replace(draft(ride, plan, trade.sell, trade.buy), simulation=simulated({}, failure="revert: STF"))
    assert all("STF" in verdict.reason for verdict in both(failed, view) if isinstance(verdict, Deny))


def test_max_turnover__of_a_peg__is_a_share_of_all_that_is_held() -> None:
    ride, view, plan = planned()
    trade = plan.trades[0]
    made = make_draft(
        plan,
        draft(ride, plan, trade.sell, trade.buy).order,
        notional=trade.notional,
    )
    verdict = MaxTurnover(10_000).check(made, view)
    assert isinstance(verdict, Allow)
    # 24,974 of 1,000,000 USDC and as many DUSD at 0.9975
    assert verdict.measured == "1.25 %"
