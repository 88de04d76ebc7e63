"""A routing whose floors follow from each leg, over one that has a constant."""

from __future__ import annotations

from fractions import Fraction

import pytest

from keeper.core.plan import NoRoute, Order, Route, Trade
from keeper.core.units import Rounding, TokenAmount
from keeper.routing.bounded import Bounded
from keeper.routing.floors import Floors
from keeper.routing.single import SinglePool
from keeper.routing.tolerance import Tolerance, harmless_share, input_share
from tests.builders import USDC, WETH, fake_pool, make_view, units, usd

INNER = SinglePool(Floors(slippage=50, max_deviation=300, deadline=600))
ROUTING = Bounded(INNER, Tolerance(Fraction(8, 10), 24, 50))
POOL = fake_pool(units(WETH, 1_000), units(USDC, 3_120_000))
VIEW = make_view(pools=[POOL])
SMALL, LARGE = Trade(units(WETH, 2), USDC, usd(6_240)), Trade(units(WETH, 40), USDC, usd(124_800))


def _order(trade: Trade) -> tuple[Route, Order]:
    route = ROUTING.allocate(trade, VIEW)
    assert isinstance(route, Route)
    return route, ROUTING.limit([route], VIEW)


def test_allocate__of_a_small_trade__is_what_the_inner_routing_says() -> None:
    assert ROUTING.allocate(SMALL, VIEW) == INNER.allocate(SMALL, VIEW)


@pytest.mark.fault("M16")
def test_allocate__of_a_large_trade__fills_the_part_that_no_sandwich_can_use() -> None:
    route, _ = _order(LARGE)
    (leg,) = route.legs
    share = input_share(leg)
    assert Fraction(99, 100) * harmless_share(POOL.pool.fee) < share <= harmless_share(POOL.pool.fee)
    assert leg.sell == route.trade.sell < LARGE.sell
    assert route.trade.notional.over(LARGE.notional) == pytest.approx(float(leg.sell.over(LARGE.sell)))


@pytest.mark.fault("M16")
def test_limit__of_both__has_the_same_tolerance_and_says_why() -> None:
    orders = [_order(trade)[1] for trade in (SMALL, LARGE)]
    assert [order.slippage for order in orders] == [21, 21]
    for order in orders:
        assert order.tolerance == "noise asks for 20.9 bps; too small to be sandwiched at a profit"
        (leg,) = order.legs
        assert leg.quote_floor == leg.leg.quote.times(Fraction(9_979, 10_000), Rounding.UP)
        assert leg.oracle_floor == INNER.limit([_order(SMALL)[0]], VIEW).legs[0].oracle_floor or order is orders[1]


def test_limit__where_the_inner_floor_is_higher__keeps_it() -> None:
    strict = Bounded(SinglePool(Floors(slippage=5, max_deviation=300, deadline=600)), ROUTING.tolerance)
    route = strict.allocate(SMALL, VIEW)
    assert isinstance(route, Route)
    (leg,) = strict.limit([route], VIEW).legs
    assert leg.quote_floor == leg.leg.quote.times(Fraction(9_995, 10_000), Rounding.UP)


def test_allocate__where_no_pool_fills_it__says_what_the_inner_routing_says() -> None:
    view = make_view(pools=[])
    found = ROUTING.allocate(SMALL, view)
    assert isinstance(found, NoRoute)
    assert found == INNER.allocate(SMALL, view)


def test_allocate__in_a_pool_without_fee__fills_nothing_that_is_felt() -> None:
    free = make_view(pools=[fake_pool(units(WETH, 1_000), units(USDC, 3_120_000), Fraction(0))])
    found = ROUTING.allocate(Trade(TokenAmount(WETH, 10**20), USDC, usd(312_000)), free)
    assert isinstance(found, NoRoute)
    assert found.reason == "no part of this sale of WETH is safe from a sandwich"
