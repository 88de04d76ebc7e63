"""What a draft is expected to cost, and at worst."""

from __future__ import annotations

from dataclasses import replace

from keeper.core.calls import Call, Calls
from keeper.core.chain import VaultView
from keeper.core.decision import Decision, make_draft, new_intent
from keeper.core.plan import Fees, Hold, Leg, Order, OrderLeg
from keeper.core.sending import Expectation
from keeper.core.units import TokenAmount, Wei
from tests.builders import DAI, ETH, USDC, WETH, fake_pool, make_view, market, simulated, swap_call, units, usd

GWEI = 10**9


def test_draft__l1_fees__in_the_cost_of_all_and_in_the_worst_case_of_the_next() -> None:
    plain = replace(simulated(gas=(50_000, 120_000)), fees=Fees(Wei(3 * GWEI), Wei(GWEI)))
    view, calls = make_view(), Calls((swap_call(), swap_call()))
    without = make_draft(Hold("in_band", ""), (), None, calls, plain, view)
    assert without.gas_cost == TokenAmount(ETH, 170_000 * 2 * GWEI)
    charged = make_draft(Hold("in_band", ""), (), None, calls, replace(plain, l1_fees=(10**12, 10**13)), view)
    assert charged.gas_cost - without.gas_cost == TokenAmount(ETH, 11 * 10**12)
    assert charged.max_gas_cost - without.max_gas_cost == TokenAmount(ETH, 10**12)
    assert charged.gas_value is not None and without.gas_value is not None and charged.gas_value > without.gas_value


# --- what is expected of the next transaction ------------------------------------------------------------------------

PRICES = {of: market(of, price) for of, price in ((WETH, 3_120), (USDC, 1), (DAI, 1))}


def order_leg(sell: TokenAmount, quote: TokenAmount, min_out: TokenAmount) -> OrderLeg:
    pool = fake_pool(sell, quote).pool
    return OrderLeg(Leg((pool,), sell, quote, quote.over(quote)), min_out, min_out)


LEGS = (
    order_leg(units(WETH, 1), units(USDC, 3_100), units(USDC, 3_090)),
    order_leg(units(WETH, 1), units(USDC, 3_080), units(USDC, 3_070)),
    order_leg(units(USDC, 6_160), units(DAI, 6_150), units(DAI, 6_140)),
)
SWAPS = tuple(swap_call(spends=leg.leg.sell) for leg in LEGS)


def expected_of(calls: Calls, view: VaultView) -> Expectation:
    order = Order(LEGS, view.block.timestamp + 600, 30)
    draft = make_draft(Hold("in_band", ""), (), order, calls, simulated(), view)
    return new_intent(Decision("a", view, draft.plan, (), order, draft), draft, view, 1).expect


def test_new_intent__atomic_call__expects_every_leg_in_order() -> None:
    approve = swap_call()
    call = Call(approve.to, b"multi", 0, SWAPS[0].purpose, "three swaps", None, (approve, *SWAPS))
    expect = expected_of(Calls((call,)), make_view(prices=PRICES))
    assert [(swap.sell, swap.quote, swap.min_out) for swap in expect.swaps] == [
        (leg.leg.sell, leg.leg.quote, leg.min_out) for leg in LEGS
    ]
    assert expect.value_sold == usd(3_120 * 2 + 6_160)
    assert expect.sells == {WETH: units(WETH, 2), USDC: units(USDC, 6_160)}
    assert expect.net(expect.floors) == {USDC: units(USDC, 0), DAI: units(DAI, 6_140)}


def test_new_intent__wallet__expects_the_next_leg_alone_and_of_an_approval_nothing() -> None:
    view = make_view(prices=PRICES)
    assert [swap.quote for swap in expected_of(Calls(SWAPS), view).swaps] == [units(USDC, 3_100)]
    assert expected_of(Calls((SWAPS[2], SWAPS[0])), view).swaps[0].quote == units(DAI, 6_150)
    assert expected_of(Calls((swap_call(), SWAPS[0])), view).swaps == ()


def test_new_intent__several_legs_in_one_call__expects_each_of_them() -> None:
    both = replace(SWAPS[0], spends=units(WETH, 2), parts=(LEGS[0].leg.sell, LEGS[1].leg.sell))
    expect = expected_of(Calls((both, SWAPS[2])), make_view(prices=PRICES))
    assert [swap.quote for swap in expect.swaps] == [LEGS[0].leg.quote, LEGS[1].leg.quote]
    assert expect.net(expect.floors) == {USDC: units(USDC, 6_160)}
