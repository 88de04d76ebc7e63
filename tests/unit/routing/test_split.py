from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keeper.core.chain import Unusable, VaultView
from keeper.core.plan import Leg, NoRoute, Route, Trade
from keeper.core.pools import NoLiquidity, NoQuote, PoolState
from keeper.core.units import Rounding, Token, TokenAmount, Wei
from tests.builders import DAI, ETH, USDC, WBTC, WETH, FakePool, address, fake_pool, make_block, market, units, usd
from tests.unit.routing.splitting import (
    ALL,
    CHEAP,
    DEAR,
    FLOORS,
    FROM_DAI,
    FROM_DAI_V2,
    FROM_WBTC,
    PRICES,
    TO_DAI,
    TO_WBTC,
    V3,
    routing,
    selling,
    total,
    view_of,
)


def route(view: VaultView, trade: Trade, atomic: bool = True) -> Route:
    found = routing(atomic).allocate(trade, view)
    assert isinstance(found, Route)
    return found


def sold_first(legs: tuple[Leg, ...]) -> int:
    return total([leg.sell for leg in legs if leg.sell.token == WETH])


def test_allocate__of_a_large_trade__splits_and_says_what_that_saves() -> None:
    found = route(view_of(*ALL), selling(150))
    assert sold_first(found.legs) == units(WETH, 150).raw
    assert len(found.legs) > 1
    splitting = found.splitting
    assert splitting is not None
    assert splitting.alone is not None
    assert splitting.alone == (CHEAP.pool, CHEAP.out_for(units(WETH, 150), USDC))
    assert splitting.brings.raw == total([leg.quote for leg in found.legs if leg.buy == USDC])
    alone_gas = splitting.alone[1] + (splitting.saved or usd(0)) + splitting.gas - splitting.brings
    assert TokenAmount(USDC, 0) < alone_gas < splitting.gas
    assert dict(found.considered)[DEAR.pool] == DEAR.out_for(units(WETH, 150), USDC)
    assert dict(found.considered)[TO_DAI.pool] == "does not trade WETH for USDC"


def test_allocate__of_a_small_trade__stays_in_the_best_pool() -> None:
    found = route(view_of(*ALL), selling("0.5"))
    (leg,) = found.legs
    assert (leg.pools, leg.quote) == ((CHEAP.pool,), CHEAP.out_for(units(WETH, "0.5"), USDC))
    assert found.splitting is not None
    assert found.splitting.saved == TokenAmount(USDC, 0)


def test_allocate__with_dearer_gas__makes_fewer_legs() -> None:
    counts = []
    for gwei in (0, 1, 50, 2_000, 100_000):
        view = replace(view_of(*ALL), block=make_block(base_fee=gwei * 10**9))
        counts.append(sum(len(leg.pools) for leg in route(view, selling(40)).legs))
    assert counts == sorted(counts, reverse=True)
    assert (counts[0], counts[-1]) == (6, 1)


def test_allocate__of_a_path_in_one_router__is_one_leg_through_the_middle_token() -> None:
    found = route(view_of(TO_DAI, FROM_DAI), selling(10))
    (leg,) = found.legs
    assert (leg.pools, leg.through, leg.sell, leg.buy) == ((TO_DAI.pool, FROM_DAI.pool), (DAI,), units(WETH, 10), USDC)
    middle = TO_DAI.out_for(units(WETH, 10), DAI)
    assert isinstance(middle, TokenAmount)
    assert leg.quote == FROM_DAI.out_for(middle, USDC)
    assert leg.mid == Fraction(3_120 * 10**6, 10**18)
    assert found.splitting is not None
    assert found.splitting.alone is None
    assert found.splitting.saved is None


def test_allocate__of_a_path_over_two_routers__sells_only_what_the_first_one_must_bring() -> None:
    view = view_of(TO_DAI, FROM_DAI_V2)
    first, second = route(view, selling(10)).legs
    assert (first.buy, second.sell.token, second.buy) == (DAI, DAI, USDC)
    assert second.sell == FLOORS.under(first, view).min_out < first.quote
    assert second.quote == FROM_DAI_V2.out_for(second.sell, USDC)


@pytest.mark.parametrize("why", ["a plain wallet", "the token is not held", "the token has no price"])
def test_allocate__of_a_path_over_two_routers__needs_a_token_that_may_be_left(why: str) -> None:
    view = view_of(TO_DAI, FROM_DAI_V2)
    if why == "the token is not held":
        view = replace(view, holdings={token: held for token, held in view.holdings.items() if token != DAI})
    if why == "the token has no price":
        view = replace(view, prices=PRICES | {DAI: Unusable("stale")})
    found = routing(atomic=why != "a plain wallet").allocate(selling(10), view)
    assert isinstance(found, NoRoute)


def test_allocate__for_a_plain_wallet__has_only_legs_that_stand_alone() -> None:
    found = route(view_of(*ALL, FROM_DAI_V2), selling(150), atomic=False)
    assert {leg.sell.token for leg in found.legs} == {WETH}
    assert {leg.buy for leg in found.legs} == {USDC}
    assert len(found.legs) > 2
    assert all(len({pool.router for pool in leg.pools}) == 1 for leg in found.legs)


def test_allocate__where_paths_share_a_pool__prices_it_once() -> None:
    """Both first pools lead into the same second one, and nothing may rest between: two paths, one last pool."""
    twin = fake_pool(units(WETH, 2_000), units(DAI, 6_240_000), Fraction(5, 10_000), 0xB3, V3, "uniswap_v3")
    small = fake_pool(units(DAI, 1_000_000), units(USDC, 1_000_000), Fraction(1, 10_000), 0xB4, V3, "uniswap_v3")
    view = view_of(TO_DAI, twin, small)
    one, two = route(view, selling(100), atomic=False).legs
    assert one.pools[1] == two.pools[1] == small.pool
    last: PoolState | NoQuote = small
    for leg in (one, two):
        (first,) = (state for state in (TO_DAI, twin) if state.pool == leg.pool)
        middle = first.out_for(leg.sell, DAI)
        assert isinstance(middle, TokenAmount)
        assert not isinstance(last, NoQuote)
        assert leg.quote == last.out_for(middle, USDC)
        last = last.after(middle, USDC)


def test_allocate__where_a_shared_pool_cannot_tell_what_it_will_be__takes_the_difference_of_two_quotes() -> None:
    twin = fake_pool(units(WETH, 2_000), units(DAI, 6_240_000), Fraction(5, 10_000), 0xB3, V3, "uniswap_v3")
    small = fake_pool(units(DAI, 1_000_000), units(USDC, 1_000_000), Fraction(1, 10_000), 0xB4, V3, "uniswap_v3")
    silent = Silent(small.pool, small.reserves)
    one, two = route(view_of(TO_DAI, twin, silent), selling(100), atomic=False).legs
    middles = [first.out_for(leg.sell, DAI) for leg in (one, two) for first in (TO_DAI, twin) if first.pool == leg.pool]
    both = small.out_for(TokenAmount(DAI, total([m for m in middles if isinstance(m, TokenAmount)])), USDC)
    assert one.quote + two.quote == both


THREE = FakePool(
    replace(CHEAP.pool, kind="balancer_weighted", address=address(0xB5), tokens=(WETH, USDC, DAI)),
    {WETH: units(WETH, 3_000).raw, USDC: units(USDC, 9_360_000).raw, DAI: units(DAI, 9_360_000).raw},
)


class Silent(FakePool):
    """It knows its quotes of now, and nothing of what a swap makes of it."""

    def after(self, sell: TokenAmount, buy: Token) -> NoLiquidity:
        return NoLiquidity("not told")


@pytest.mark.parametrize("whole", [100, 500])
def test_allocate__of_a_pool_of_three_tokens__uses_two_of_its_sides_one_after_the_other(whole: int) -> None:
    view = view_of(THREE, CHEAP, TO_DAI, FROM_DAI, FROM_DAI_V2)
    legs = route(view, selling(whole)).legs
    mine = [leg for leg in legs if leg.pool == THREE.pool]
    assert {leg.buy for leg in mine} == {USDC, DAI}
    first, second = mine
    moved = THREE.after(first.sell, first.buy)
    assert isinstance(moved, FakePool)
    assert second.quote == moved.out_for(second.sell, second.buy)
    silent = view_of(Silent(THREE.pool, THREE.reserves), *view.pools[1:])
    told, other = (route(each, selling(whole)).splitting for each in (view, silent))
    assert told is not None
    assert other is not None
    assert told.brings > other.brings.times(Fraction(10_001, 10_000), Rounding.UP)


def test_allocate__where_gas_has_no_price__does_not_split() -> None:
    found = route(replace(view_of(*ALL), native_price=Unusable("stale")), selling(150))
    assert [leg.pools for leg in found.legs] == [(CHEAP.pool,)]
    assert found.splitting is None


def test_allocate__of_a_trade_bound_to_pools__uses_no_others() -> None:
    trade = replace(selling(150), via=frozenset({DEAR.pool.address, TO_WBTC.pool.address, FROM_WBTC.pool.address}))
    used = {pool for leg in route(view_of(*ALL), trade).legs for pool in leg.pools}
    assert used <= {DEAR.pool, TO_WBTC.pool, FROM_WBTC.pool}


def test_allocate__where_nothing_leads_there__says_why() -> None:
    found = routing().allocate(selling(1), view_of(TO_DAI))
    assert isinstance(found, NoRoute)
    assert "WETH" in found.reason or "no pool" in found.reason


def test_limit__of_several_legs__puts_a_floor_under_each() -> None:
    view = view_of(*ALL)
    found = route(view, selling(150))
    order = routing().limit([found], view)
    assert len(order.legs) == len(found.legs)
    assert all(0 < leg.min_out.raw <= leg.leg.quote.raw for leg in order.legs)


@settings(max_examples=40, deadline=None)
@given(st.integers(10**12, 10**22), st.permutations(ALL), st.booleans())
def test_allocate__of_any_amount__sells_all_of_it_and_nets_no_less_than_one_pool(
    raw: int, pools: list[FakePool], atomic: bool
) -> None:
    trade = Trade(TokenAmount(WETH, raw), USDC, usd(1))
    found = route(view_of(*pools), trade, atomic)
    assert sold_first(found.legs) == raw
    splitting = found.splitting
    assert splitting is not None
    assert splitting.saved is not None
    assert splitting.saved.raw >= 0
    same = route(view_of(*ALL), trade, atomic).splitting
    assert same is not None
    net, other = splitting.brings.raw - splitting.gas.raw, same.brings.raw - same.gas.raw
    assert abs(net - other) <= max(2, abs(other) // 10**6)


def test_gas__on_a_legacy_chain__is_counted_at_its_one_price() -> None:
    view = replace(view_of(*ALL), block=make_block(base_fee=None), tip=Wei(10**9), native_price=market(ETH, 3_120))
    one = route(view, selling("0.5")).splitting
    assert one is not None
    # {USDC raw} = {gas} * 1e9 {wei / gas} * 3120e6/1e18 {USDC raw / wei}
    assert one.gas == TokenAmount(USDC, 106_000 * 3_120 * 10**6 // 10**9)
    assert WBTC not in {leg.buy for leg in route(view, selling("0.5")).legs}
