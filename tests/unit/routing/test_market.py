from dataclasses import replace

import pytest

from keeper.core.chain import Unusable
from keeper.core.market import FirstCall, Quoted
from keeper.core.plan import Route
from keeper.core.pools import LimitExceeded, NoLiquidity
from keeper.core.units import TokenAmount
from keeper.routing.graph import Means
from keeper.routing.market import SplitMarket
from tests.builders import DAI, USDC, WETH, units
from tests.unit.routing.splitting import ALL, CHEAP, DEAR, FROM_DAI, TO_DAI, carries, routing, selling, view_of

MEANS = Means(carries, atomic=True)


@pytest.mark.parametrize("whole", ["0.5", "20", "150", "900"])
def test_quote__of_any_size__is_what_the_route_then_brings(whole: str) -> None:
    market, view = SplitMarket(view_of(*ALL), MEANS), view_of(*ALL)
    market.quote(units(WETH, 33), USDC)
    quoted, route = market.quote(units(WETH, whole), USDC), routing().allocate(selling(whole), view)
    assert isinstance(quoted, Quoted)
    assert isinstance(route, Route)
    assert route.splitting is not None
    assert abs(quoted.out.raw - route.splitting.brings.raw) <= quoted.out.raw // 10**6
    assert quoted.pools == {pool.address for leg in route.legs for pool in leg.pools}


def test_quote__with_pools_that_are_taken__does_without_them() -> None:
    market = SplitMarket(view_of(*ALL), MEANS)
    every, fewer = market.quote(units(WETH, 150), USDC), market.quote(units(WETH, 150), USDC, {CHEAP.pool.address})
    assert isinstance(every, Quoted)
    assert isinstance(fewer, Quoted)
    assert fewer.out < every.out
    assert CHEAP.pool.address in every.pools - fewer.pools


def test_quote__where_gas_has_no_price__is_of_one_pool() -> None:
    market = SplitMarket(replace(view_of(*ALL), native_price=Unusable("stale")), MEANS)
    quoted = market.quote(units(WETH, 150), USDC)
    assert quoted == Quoted(quoted.out, frozenset({CHEAP.pool.address}))  # type: ignore[union-attr]


def test_quote__of_what_no_pool_fills__says_why() -> None:
    market = SplitMarket(view_of(TO_DAI), MEANS)
    assert market.quote(units(WETH, 1), USDC) == NoLiquidity("no pool of this vault trades WETH for USDC")
    assert market.quote(TokenAmount(WETH, 0), DAI) == LimitExceeded("amount: expected more than 0, was 0")


def test_trades__along_any_path__is_true() -> None:
    market = SplitMarket(view_of(TO_DAI, FROM_DAI), MEANS)
    assert market.trades(WETH, USDC)
    assert market.trades(USDC, WETH)
    assert not SplitMarket(view_of(TO_DAI), MEANS).trades(WETH, USDC)


def test_first__of_a_sale_in_several_calls__is_the_largest_of_them() -> None:
    market = SplitMarket(view_of(CHEAP, DEAR), Means(carries, atomic=False))
    first = market.first(units(WETH, 100), USDC)
    assert isinstance(first, FirstCall)
    assert (first.router, first.pools) == (CHEAP.pool.router, {CHEAP.pool.address})
    assert units(WETH, 60) < first.sell < units(WETH, 100)
    assert first.calls == 2


def test_first__of_what_no_pool_takes__says_why() -> None:
    market = SplitMarket(view_of(CHEAP), Means(carries, atomic=False))
    assert market.first(units(WETH, 1), DAI) == NoLiquidity("no pool of this vault trades WETH for DAI")
    assert market.first(TokenAmount(WETH, 0), USDC) == LimitExceeded("amount: expected more than 0, was 0")


def test_first__of_paths_along_one_router_that_joins_none__is_the_larger_path() -> None:
    market = SplitMarket(view_of(CHEAP, TO_DAI, FROM_DAI), Means(carries, atomic=False))
    first = market.first(units(WETH, 100), USDC)
    assert isinstance(first, FirstCall)
    assert first.calls == 2
    assert first.pools in ({CHEAP.pool.address}, {TO_DAI.pool.address, FROM_DAI.pool.address})
    assert units(WETH, 50) <= first.sell < units(WETH, 100)


def test_first__of_paths_that_one_call_joins__is_all_of_them() -> None:
    kinds = frozenset({CHEAP.pool.router.kind})
    market = SplitMarket(view_of(CHEAP, TO_DAI, FROM_DAI), Means(carries, atomic=False, joins=kinds))
    first = market.first(units(WETH, 100), USDC)
    assert isinstance(first, FirstCall)
    assert (first.sell, first.calls) == (units(WETH, 100), 1)
    assert len(first.pools) == 3
