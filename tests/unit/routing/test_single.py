from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.core.chain import Unusable
from keeper.core.plan import Leg, NoRoute, Route, Trade
from keeper.core.pools import NoLiquidity
from keeper.core.units import TokenAmount
from keeper.routing.cost import impact_ratio
from keeper.routing.floors import Floors
from keeper.routing.single import SinglePool
from tests.builders import DAI, NOW, USDC, WBTC, WETH, fake_pool, make_view, market, units, usd

ROUTING = SinglePool(Floors(slippage=30, max_deviation=50, deadline=600))
SELL = units(WETH, "15.0696")
TRADE = Trade(SELL, USDC, usd("47017.152"))
DEEP = fake_pool(units(WETH, 100_000), units(USDC, 312_000_000), Fraction(5, 10_000), 0xB001)
DEAR = fake_pool(units(WETH, 100_000), units(USDC, 312_000_000), Fraction(3, 1_000), 0xB002)
OTHER = fake_pool(units(WETH, 100), units(DAI, 312_000), Fraction(3, 1_000), 0xB003)
EMPTY = fake_pool(units(WETH, 0), units(USDC, 1), Fraction(1, 10_000), 0xB004)
BROKEN = fake_pool(units(WETH, 1), units(USDC, 1), Fraction(1, 10_000), 0xB005)


def route(view=None, trade: Trade = TRADE) -> Route:  # type: ignore[no-untyped-def]
    found = ROUTING.allocate(trade, view or make_view(pools=[DEEP]))
    assert isinstance(found, Route)
    return found


def test_allocate__over_several_pools__takes_the_best_and_says_what_the_others_gave() -> None:
    view = replace(make_view(pools=[DEAR, OTHER, DEEP, EMPTY]), left_out=((BROKEN.pool, "slot0() does not answer"),))
    found = route(view)
    (leg,) = found.legs
    best = view.best(SELL, USDC)
    assert not isinstance(best, NoLiquidity)
    assert (leg.pool, leg.quote) == (DEEP.pool, DEEP.out_for(SELL, USDC)) == (best[0].pool, best[1])
    assert leg.mid == Fraction(3_120 * 10**6, 10**18)
    assert found.considered == (
        (DEAR.pool, DEAR.out_for(SELL, USDC)),
        (OTHER.pool, "does not trade WETH for USDC"),
        (DEEP.pool, DEEP.out_for(SELL, USDC)),
        (EMPTY.pool, "the pool is empty"),
        (BROKEN.pool, "slot0() does not answer"),
    )


def test_allocate__of_equal_pools__takes_the_first() -> None:
    twin = fake_pool(units(WETH, 100_000), units(USDC, 312_000_000), Fraction(5, 10_000), 0xB009)
    assert route(make_view(pools=[twin, DEEP])).legs[0].pool == twin.pool


@pytest.mark.fault("M12")
def test_allocate__where_no_pool_can__says_why_for_each() -> None:
    view = replace(make_view(pools=[EMPTY, OTHER]), left_out=((BROKEN.pool, "the pool is locked"),))
    found = ROUTING.allocate(TRADE, view)
    assert isinstance(found, NoRoute)
    assert found.reason.startswith(
        "no pool fills WETH for USDC: uniswap_v2 0.01 % WETH/USDC 0x0000…b004: the pool is empty; "
    )
    assert found.reason.endswith("b005: the pool is locked")
    assert "DAI" not in found.reason


def test_allocate__where_no_pool_holds_the_pair__says_so() -> None:
    trade = Trade(units(WBTC, 1), USDC, usd(60_000))
    assert ROUTING.allocate(trade, make_view(pools=[DEEP])) == NoRoute(
        trade, "no pool of this vault trades WBTC for USDC"
    )


def test_allocate__of_dust_that_brings_nothing__is_no_route() -> None:
    found = ROUTING.allocate(Trade(TokenAmount(WETH, 1), USDC, usd(0)), make_view(pools=[DEEP]))
    assert isinstance(found, NoRoute)
    assert "brings nothing for 1 raw WETH" in found.reason


def test_limit__of_the_example__puts_the_quotes_floor_above_the_oracles() -> None:
    """47,017.15 USD at 5.0 bps of fee and about 1.5 of impact: the oracle's floor is 50 bps below that."""
    view = make_view(pools=[DEEP])
    order = ROUTING.limit([route(view)], view)
    (leg,) = order.legs
    quote = leg.leg.quote.raw
    assert leg.quote_floor == TokenAmount(USDC, -(-quote * 9_970 // 10_000))
    kept = 1 - Fraction(5, 10_000) - impact_ratio(leg.leg) - Fraction(50, 10_000)
    worth = Fraction("15.0696") * 3_120 * 10**6 * kept
    assert leg.oracle_floor == TokenAmount(USDC, -(-worth.numerator // worth.denominator))
    assert leg.min_out == leg.quote_floor > leg.oracle_floor
    assert (order.deadline, order.slippage) == (NOW + 600, 30)


@pytest.mark.fault("M7")
def test_limit__where_the_pool_is_off__puts_the_oracles_floor_above_the_quote() -> None:
    """A pool moved to 2,900 in this block promises little; what the oracle says still bounds the trade."""
    moved = fake_pool(units(WETH, 100_000), units(USDC, 290_000_000), Fraction(5, 10_000))
    view = make_view(pools=[moved])
    (leg,) = ROUTING.limit([route(view)], view).legs
    assert leg.quote_floor < leg.leg.quote < leg.oracle_floor == leg.min_out


def test_limit__with_prices_apart__takes_the_worse_for_us() -> None:
    view = make_view(pools=[DEEP], prices={WETH: market(WETH, 3_120, apart=40), USDC: market(USDC, 1, apart=20)})
    found = route(view)
    (leg,) = ROUTING.limit([found], view).legs
    (even,) = ROUTING.limit([found], make_view(pools=[DEEP])).legs
    # {ratio} WETH at its high, 20 bps above mid, for USDC at its low, 10 bps below
    raised = Fraction(10_020, 10_000) / Fraction(9_990, 10_000)
    assert abs(leg.oracle_floor.raw - even.oracle_floor.raw * raised) <= 2


def test_limit__without_a_price__is_refused() -> None:
    view = make_view(pools=[DEEP], prices={WETH: market(WETH, 3_120), USDC: Unusable("stale")})
    with pytest.raises(KeyError, match="USDC: stale"):
        ROUTING.limit([route(view)], view)


def test_limit__of_several_routes__bounds_each_leg() -> None:
    view = make_view(pools=[DEEP])
    back = route(view, Trade(units(USDC, 1_000), WETH, usd(1_000)))
    order = ROUTING.limit([route(view), back], view)
    assert [leg.leg.buy for leg in order.legs] == [USDC, WETH]
    # {WETH raw} 1,000 USD of WETH less what the pool takes: an inverted price would be 10^7 away (M24).
    assert abs(order.legs[1].oracle_floor.whole - Fraction(1_000, 3_120)) < Fraction(1, 400)


@pytest.mark.fault("M24")
@given(st.integers(10**9, 10**23), st.integers(0, 400), st.integers(0, 400))
def test_limit__of_any_size__never_promises_more_than_asked_for(raw: int, slippage: int, deviation: int) -> None:
    view = make_view(pools=[DEEP])
    leg = route(view, Trade(TokenAmount(WETH, raw), USDC, usd(1)) if raw > 10**12 else TRADE).legs[0]
    (bounded,) = SinglePool(Floors(slippage, deviation, 1)).limit([Route(TRADE, (leg,))], view).legs
    assert 0 < bounded.quote_floor.raw <= leg.quote.raw
    assert bounded.oracle_floor.raw >= 0
    # The pool stands at the oracle's price, so that without tolerance both floors are the quote, to the rounding.
    exact = Fraction(leg.quote.raw) - Fraction(deviation, 10_000) * leg.sell.raw * leg.mid
    assert 0 <= bounded.oracle_floor.raw - max(exact, Fraction(0)) < 1


def test_oracle_floor__where_costs_exceed_all__is_zero() -> None:
    thin = fake_pool(units(WETH, "0.001"), units(USDC, "3.12"))
    view = make_view(pools=[thin])
    (leg,) = SinglePool(Floors(0, 9_999, 60)).limit([route(view)], view).legs
    assert leg.oracle_floor.raw == 0
    assert isinstance(leg.leg, Leg)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((-1, 50, 600), "slippage: expected 0 to 9999 bps, was -1"),
        ((10_000, 50, 600), "slippage"),
        ((50, 10_000, 600), "max_deviation"),
        ((50, 50, 0), "deadline: expected more than 0 s, was 0"),
    ],
)
def test_routing__with_impossible_limits__is_refused(arguments: tuple[int, int, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SinglePool(Floors(*arguments))
