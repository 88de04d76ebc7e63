"""Slices of any strategy's trades, over whole schedules in which a pool recovers and history grows."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keeper.core.chain import History, PastTrade
from keeper.core.plan import Hold, Rebalance, Trade
from keeper.core.slices import slice_in, slice_out
from keeper.core.units import USD, Rounding, TokenAmount
from keeper.strategies.parents import Slicing
from keeper.strategies.sliced import LAPSE, Sliced
from tests.builders import DAI, NOW, USDC, WETH, fake_pool, make_block, make_view, market, units, usd
from tests.unit.strategies.sliced_world import VOLATILITY, Fixed, World, sliced, weights

# --- whether, and what is said -------------------------------------------------------------------------------------


def test_plan__of_a_trade_far_below_the_fee_of_the_depth__is_the_inner_plan() -> None:
    view = make_view()  # $47,000 against $312M
    assert sliced().plan(view) == weights().plan(view)


def test_plan__in_band__is_the_inner_hold() -> None:
    view = make_view([units(WETH, 1), units(USDC, 2_080)])
    assert sliced().plan(view) == weights().plan(view)


def test_plan__of_a_large_trade__sells_one_slice_and_says_where_it_stands() -> None:
    world = World()
    whole = weights().plan(world.view)
    plan = sliced(variation=Fraction(0)).plan(world.view)
    assert isinstance(whole, Rebalance)
    assert isinstance(plan, Rebalance)
    assert plan.schedule is not None
    part = plan.schedule.slice
    assert (part.number, part.of, part.done) == (1, part.parent.slices, TokenAmount.zero(USD))
    assert part.parent.slices > 4
    assert plan.trades[0].notional.over(whole.trades[0].notional) == pytest.approx(1 / part.of)
    assert plan.schedule.left == whole.trades[0].notional
    assert f"slice 1 of {part.of} of WETH for USDC, 0 % done: sell " in plan.reason
    assert plan.assets == whole.assets


def test_plan__between_two_slices__holds_and_says_when_the_next_one_goes() -> None:
    world, strategy = World(), sliced()
    first = strategy.plan(world.view)
    assert isinstance(first, Rebalance)
    world.trade(first)
    world.now += 60
    held = strategy.plan(world.view)
    assert isinstance(held, Hold)
    assert held.schedule is not None
    assert (held.code, held.schedule.slice.number) == ("slices", 2)
    assert 360 <= held.schedule.due - (world.now - 60) <= 4 * 1440
    assert held.reason.startswith(f"slice 2 of {held.schedule.slice.of} of WETH for USDC, ")
    assert ", next in " in held.reason


def test_plan__of_a_trade_that_no_pool_fills__is_left_to_the_routing() -> None:
    plan = Rebalance("wants it", (), (Trade(units(WETH, 1), DAI, usd(3120)),))
    view = make_view()
    assert Sliced(Fixed(plan), Fixed(plan), Slicing(VOLATILITY)).plan(view) == plan


# --- a whole schedule ----------------------------------------------------------------------------------------------


def test_schedule__left_alone__brings_the_vault_to_its_destination_in_about_the_slices_announced() -> None:
    world = World()
    begun = world.run(sliced())
    planned = begun[0][1].parent.slices
    assert planned - 2 <= len(begun) <= planned + 2
    assert [part.number for _, part in begun] == list(range(1, len(begun) + 1))
    assert begun[-1][1].is_last
    weight = world.weth * world.price / 10**18 / (world.weth * world.price / 10**18 + Fraction(world.usdc, 10**6))
    assert Fraction(6190, 10_000) < weight <= Fraction(6201, 10_000)
    # Inside its trigger and at its destination it does not begin again.
    assert isinstance(sliced().plan(world.view), Hold)


def test_schedule__against_one_shot__costs_less_than_half() -> None:
    one, many = World(), World()
    before = one.weth * one.price / 10**18 + Fraction(one.usdc, 10**6)
    whole = weights().plan(one.view)
    assert isinstance(whole, Rebalance)
    one.trade(whole)
    many.run(sliced())
    cost = [before - (w.weth * w.price / 10**18 + Fraction(w.usdc, 10**6)) for w in (one, many)]
    assert 0 < cost[1] < cost[0] / 2


@pytest.mark.fault("M17")
def test_schedule__times_and_sizes__differ_between_vaults_and_never_repeat() -> None:
    first, second = World(seed=1), World(seed=2)
    one, other = first.run(sliced(), step=30), second.run(sliced(), step=30)
    gaps = [[b - a for (a, _), (b, _) in pairwise(run)] for run in (one, other)]
    assert gaps[0] != gaps[1]
    assert len(set(gaps[0])) > len(gaps[0]) // 2
    mean = one[0][1].parent.spacing
    assert all(mean // 2 <= gap <= 2 * mean + 30 for gap in gaps[0])
    sizes = {trade.notional.raw for trade in first.past}
    assert len(sizes) == len(first.past)


def test_schedule__after_a_restart_at_any_moment__goes_on_as_if_nothing_had_happened() -> None:
    """Another process reads the journal: slices are what they are written as."""
    one, other = World(), World()
    runs = []
    for world, restarts in ((one, False), (other, True)):
        until = world.now + 43_200
        while world.now < until:
            strategy = sliced()
            if restarts:
                world.past = [_reread(trade) for trade in world.past]
            plan = strategy.plan(world.view)
            if isinstance(plan, Rebalance):
                world.trade(plan)
            world.now += 300
        runs.append(world.past)
    assert runs[0] == runs[1]
    assert len(runs[0]) > 4


def _reread(trade: PastTrade) -> PastTrade:
    return replace(trade, slice=slice_in(slice_out(trade.slice)) if trade.slice else None)


def test_slice__refused_again_and_again__is_the_same_one_until_it_goes() -> None:
    """A guard that denies it leaves no trace in history, so the next cycle wants the same; nothing is lost."""
    world, strategy = World(), sliced()
    first = strategy.plan(world.view)
    assert isinstance(first, Rebalance)
    world.trade(first)
    world.now += 6_000
    wanted = [strategy.plan(world.view), strategy.plan(world.view)]
    world.now += 1_800
    wanted.append(strategy.plan(world.view))
    assert all(isinstance(plan, Rebalance) and plan.schedule and plan.schedule.slice.number == 2 for plan in wanted)
    assert len({plan.trades for plan in wanted if isinstance(plan, Rebalance)}) == 1


@pytest.mark.fault("M19")
def test_slice__that_was_filled_in_part__is_made_up_for_by_the_others() -> None:
    """History knows what was traded, the balances what is left: both without the part that was not filled."""
    world, strategy = World(), sliced(variation=Fraction(0))
    first = strategy.plan(world.view)
    assert isinstance(first, Rebalance)
    half = first.trades[0].sell.raw // 2
    part = replace(
        first,
        trades=(
            replace(first.trades[0], sell=TokenAmount(WETH, half), notional=usd(first.trades[0].notional.whole / 2)),
        ),
    )
    world.trade(part)
    world.now += 6_000
    after = strategy.plan(world.view)
    assert isinstance(after, Rebalance)
    assert after.schedule is not None
    assert after.schedule.slice.done == part.trades[0].notional
    assert after.trades[0].sell.raw <= world.weth
    done, left = after.schedule.slice.done.whole, after.schedule.left.whole
    assert float(done + left) == pytest.approx(float(first.schedule.left.whole if first.schedule else 0), rel=0.01)
    assert world.run(strategy)[-1][1].is_last


# --- price, deadline, lapse ----------------------------------------------------------------------------------------


def test_slice__at_a_price_worse_than_the_parents__waits_and_goes_on_when_it_is_back() -> None:
    world, strategy = World(), sliced(worse=100)
    first = strategy.plan(world.view)
    assert isinstance(first, Rebalance)
    world.trade(first)
    world.now += 6_000
    world.price = Fraction(3120) * Fraction(98, 100)
    held = strategy.plan(world.view)
    assert isinstance(held, Hold)
    assert "waits: WETH/USDC is 3,057.6000, 200 bps worse than the 3,120.0000 it was decided at, 100 bps allowed" in (
        held.reason
    )
    world.price = Fraction(3120) * Fraction(9901, 10_000)
    back = strategy.plan(world.view)
    assert isinstance(back, Rebalance)
    assert back.schedule is not None
    assert back.schedule.slice.number == 2


def test_slice__at_a_better_price__goes() -> None:
    world, strategy = World(), sliced(worse=1)
    first = strategy.plan(world.view)
    assert isinstance(first, Rebalance)
    world.trade(first)
    world.now += 6_000
    world.price *= Fraction(105, 100)
    assert isinstance(strategy.plan(world.view), Rebalance)


def test_deadline__ends_the_schedule_in_time() -> None:
    world = World()
    begun = world.run(sliced(deadline=4 * 3600, spacing=600, least_wait=300), seconds=86_400)
    assert begun[-1][0] <= NOW + 4 * 3600 + 60
    assert begun[-1][1].is_last


def test_deadline__after_hours_of_refusals__spreads_the_rest_over_the_time_that_is_left() -> None:
    world, strategy = World(), sliced(deadline=4 * 3600, spacing=600, variation=Fraction(0))
    first = strategy.plan(world.view)
    assert isinstance(first, Rebalance)
    world.trade(first)
    world.now = NOW + 4 * 3600 - 1800
    later = strategy.plan(world.view)
    assert isinstance(later, Rebalance)
    assert later.schedule is not None
    assert later.schedule.slice.of - later.schedule.slice.number + 1 == 4
    assert later.schedule.size > first.trades[0].notional
    world.now = NOW + 5 * 3600
    last = strategy.plan(world.view)
    assert isinstance(last, Rebalance)
    assert last.schedule is not None
    assert last.schedule.size == last.schedule.left
    assert last.schedule.slice.is_last


def test_deadline__with_a_great_dislike_of_variance__makes_the_first_slices_larger() -> None:
    hasty = sliced(deadline=86_400, spacing=1_440, risk_aversion=Fraction(10**6), variation=Fraction(0))
    even = sliced(deadline=86_400, spacing=1_440, risk_aversion=Fraction(0), variation=Fraction(0))
    plans = [strategy.plan(World().view) for strategy in (hasty, even)]
    sizes = [plan.trades[0].notional for plan in plans if isinstance(plan, Rebalance)]
    assert sizes[0] > sizes[1].times(2, Rounding.DOWN)


def test_parent__a_day_after_its_last_slice__is_over_and_the_next_has_its_own_price() -> None:
    world, strategy = World(), sliced()
    first = strategy.plan(world.view)
    assert isinstance(first, Rebalance)
    world.trade(first)
    world.now += LAPSE + 1
    world.price = Fraction(3000)
    world.weth += 20 * 10**18  # still outside its trigger
    anew = strategy.plan(world.view)
    assert isinstance(anew, Rebalance)
    assert anew.schedule is not None
    assert (anew.schedule.slice.number, anew.schedule.slice.parent.price) == (1, 3000)
    assert anew.schedule.slice.parent.began == world.now


def test_parent__whose_trade_is_wanted_the_other_way_round__is_over() -> None:
    world, strategy = World(), sliced()
    first = strategy.plan(world.view)
    assert isinstance(first, Rebalance)
    world.trade(first)
    world.now += 60
    world.weth -= 150 * 10**18
    turned = strategy.plan(world.view)
    assert isinstance(turned, Rebalance)
    assert turned.trades[0].sell.token == USDC
    assert turned.schedule is not None
    assert turned.schedule.slice.number == 1


# --- several trades, clips, fees -----------------------------------------------------------------------------------


def _wants(*trades: Trade) -> Sliced:
    plan = Rebalance("wants them", (), trades)
    return Sliced(Fixed(plan), Fixed(plan), Slicing(VOLATILITY))


def test_plan__with_a_small_and_a_large_trade__lets_the_small_one_go_while_the_large_one_waits() -> None:
    large, small = Trade(units(WETH, 60), USDC, usd(187_200)), Trade(units(DAI, 10), USDC, usd(10))
    pools = [World().state, fake_pool(units(DAI, 10**6), units(USDC, 10**6), number=0xB002)]
    prices = {WETH: market(WETH, 3120), USDC: market(USDC, 1), DAI: market(DAI, 1)}
    strategy = _wants(large, small)
    first = strategy.plan(make_view(prices=prices, pools=pools, block=make_block(base_fee=5 * 10**9)))
    assert isinstance(first, Rebalance)
    assert first.schedule is not None
    assert [trade.sell.token for trade in first.trades] == [WETH, DAI]
    past = PastTrade(NOW, first.trades[0].notional, usd(1), first.schedule.slice)
    then = strategy.plan(make_view(prices=prices, pools=pools, history=History((past,)), block=make_block(NOW + 60)))
    assert isinstance(then, Rebalance)
    assert (then.trades, then.schedule) == ((small,), None)


def test_plan__with_two_large_trades__works_at_one_and_leaves_the_other_for_later() -> None:
    one, other = Trade(units(WETH, 60), USDC, usd(187_200)), Trade(units(DAI, 100_000), USDC, usd(100_000))
    pools = [World().state, fake_pool(units(DAI, 10**6), units(USDC, 10**6), number=0xB002)]
    prices = {WETH: market(WETH, 3120), USDC: market(USDC, 1), DAI: market(DAI, 1)}
    strategy = _wants(one, other)
    first = strategy.plan(make_view(prices=prices, pools=pools))
    assert isinstance(first, Rebalance)
    assert [trade.sell.token for trade in first.trades] == [WETH]
    assert first.schedule is not None
    past = PastTrade(NOW, first.trades[0].notional, usd(1), first.schedule.slice)
    held = strategy.plan(make_view(prices=prices, pools=pools, history=History((past,)), block=make_block(NOW + 60)))
    assert isinstance(held, Hold)


def test_clip__alone__asks_for_slices_that_cost_does_not() -> None:
    """In a pool of $312M nothing is gained by slices, but no trade may be worth more than the clip."""
    plan = sliced(clip=usd(10_000)).plan(make_view())
    assert isinstance(plan, Rebalance)
    assert plan.schedule is not None
    assert (plan.schedule.slice.number, plan.schedule.slice.of) == (1, 5)
    assert plan.trades[0].notional <= usd(10_000)


@given(
    st.integers(0, 2**63),
    st.integers(1, 400),
    st.sampled_from([Fraction(0), Fraction(1, 4), Fraction(1, 2)]),
    st.sampled_from([None, 3_600, 86_400]),
    st.integers(0, 3 * 86_400),
)
@settings(max_examples=60, deadline=None)
def test_slice__whatever_the_seed_the_gas_and_the_time__sells_no_more_than_is_wanted_now(
    seed: int, gwei: int, variation: Fraction, deadline: int | None, later: int
) -> None:
    strategy, world = sliced(variation=variation, deadline=deadline, clip=usd(90_000)), World(seed=seed)
    for step in (0, later, 60):
        world.now += step
        view = replace(world.view, block=make_block(world.now, base_fee=gwei * 10**8))
        whole, plan = weights(200, 200).plan(view), strategy.plan(view)
        assert plan == strategy.plan(view)
        if isinstance(plan, Rebalance):
            assert isinstance(whole, Rebalance)
            assert 0 < plan.trades[0].sell.raw <= whole.trades[0].sell.raw
            assert plan.trades[0].notional <= usd(90_000)
            world.trade(plan)
