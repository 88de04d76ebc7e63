"""Slices as records, and which transactions are one."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction

import pytest

from keeper.core.chain import History, PastTrade
from keeper.core.decision import Decision, new_intent
from keeper.core.plan import Hold, Leg, Order, OrderLeg, Plan, Rebalance
from keeper.core.slices import Parent, Schedule, Slice, slice_in, slice_out
from keeper.core.units import Rounding, Token, TokenAmount
from tests.builders import DAI, NOW, USDC, WETH, fake_pool, make_draft, make_view, market, swap_call, units, usd

PARENT = Parent(NOW, WETH.address, DAI.address, usd("188068.61"), Fraction(31_207, 10), 12, 1440, Fraction(1, 7))
PART = Slice(PARENT, 3, 12, usd("31344.77"))


def test_slice__written_and_read__is_the_same() -> None:
    assert slice_in(json.loads(json.dumps(slice_out(PART)))) == PART


def test_schedule__progress__is_what_is_done_of_what_is_wanted_by_now() -> None:
    schedule = Schedule(PART, usd(10), usd("94034.31"), NOW)
    assert schedule.progress == Fraction(3_134_477, 3_134_477 + 9_403_431)
    assert Schedule(replace(PART, done=usd(0)), usd(0), usd(0), NOW).progress == 1
    assert (PART.is_last, replace(PART, number=12).is_last) == (False, True)
    assert PARENT.mean == usd("188068.61").times(Fraction(1, 12), Rounding.DOWN)


def test_last_slice__of_a_history__is_the_latest_trade_that_was_one() -> None:
    trades = [PastTrade(NOW + i, usd(1), usd(0), part) for i, part in enumerate((None, PART, None))]
    assert History(tuple(trades)).last_slice == (trades[1], PART)
    assert History(tuple(trades[:1])).last_slice is None


def leg(sell: TokenAmount, buy: Token) -> OrderLeg:
    quote = units(buy, 10)
    return OrderLeg(Leg((fake_pool(sell, quote).pool,), sell, quote, Fraction(1)), quote, quote)


PATH = (leg(units(WETH, 1), USDC), leg(units(USDC, 3_000), DAI))
PLAN = Rebalance("", (), (), Schedule(PART, usd(3_120), usd(9_000), NOW))


@pytest.mark.parametrize(
    ("plan", "legs", "found"),
    [
        (PLAN, (leg(units(WETH, 1), DAI),), PART),
        (PLAN, PATH, PART),
        (PLAN, PATH[:1], None),
        (PLAN, (leg(units(USDC, 1), DAI),), None),
        (Rebalance("", (), ()), PATH, None),
        (Hold("slices", "", (), PLAN.schedule), (), None),
    ],
)
def test_new_intent__of_a_plan_with_a_schedule__is_the_slice_if_it_trades_the_pair_by_any_path(
    plan: Plan, legs: tuple[OrderLeg, ...], found: Slice | None
) -> None:
    view = make_view(prices={of: market(of, 1) for of in (WETH, USDC, DAI)})
    swaps = tuple(swap_call(spends=each.leg.sell) for each in legs)
    call = replace(swap_call(), inner=swaps)
    order = Order(legs, NOW + 600, 30) if legs else None
    draft = make_draft(plan, order, (call,))
    assert new_intent(Decision("a", view, plan, (), order, draft), draft, view, 1).expect.slice == found
