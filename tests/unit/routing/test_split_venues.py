"""The search on the sides of real venues: their exact quotes, their limits, tokens of 18 and of 6 decimals."""

from dataclasses import replace
from fractions import Fraction

import pytest

from keeper.core.plan import Route, Trade
from keeper.core.pools import NoQuote, PoolState, Side
from keeper.routing.search.filling import fill
from keeper.routing.search.network import SINK, SOURCE, Edge, Network
from keeper.routing.search.optimum import Search
from keeper.venues.curve_side import CurveSide
from keeper.venues.curve_state import CurveState
from keeper.venues.linear import Linear
from keeper.venues.uniswap_v2_side import ConstantProduct
from tests.builders import address, fake_pool, make_view, market, units, usd
from tests.networks import upper_bound
from tests.unit.routing.splitting import routing
from tests.unit.venues.balancer_pools import ONE_TOKEN, scales, stable_pool, stable_state, weighted_state
from tests.unit.venues.balancer_pools import ZERO as BALANCER_ZERO
from tests.unit.venues.curve_pools import DAI, THREE, USDC, USDT, pool_of, stable, whole
from tests.unit.venues.test_uniswap_v3_state import look
from tests.unit.venues.v3_pools import ONE, ZERO, Chain, v3_pool

AT_PAR = -276_324
"""The tick at which 10^12 raw of 18 decimals are one raw of 6."""
POSITIONS = (
    (AT_PAR - 4, AT_PAR + 16, 10**19),
    (AT_PAR - 1_004, AT_PAR + 996, 10**18),
    (AT_PAR - 20_004, AT_PAR + 19_996, 10**17),
)


def sides() -> dict[str, Side]:
    v3 = look(Chain(v3_pool(spacing=4), AT_PAR, POSITIONS)).side(ZERO, ONE)
    weighted = weighted_state([2_000_000, 2_000_000], [50, 50]).side(BALANCER_ZERO, ONE_TOKEN)
    balancer = stable_state([3_000_000, 3_000_000, 3_000_000]).side(BALANCER_ZERO, ONE_TOKEN)
    found = {
        "uniswap v2": ConstantProduct.of((10**24, 10**12), (997, 1_000), (1 << 112) - 1),
        "uniswap v3": v3,
        "balancer weighted": weighted,
        "balancer stable": balancer,
        "curve": CurveSide.of(stable((2 * 10**24, 2 * 10**12), 200, decimals=(18, 6)), 0, 1),
        "erc4626": Linear(999, 1_000 * 10**12, 10**21, "a limit"),
    }
    assert not [name for name, side in found.items() if hasattr(side, "reason")]
    return found  # type: ignore[return-value]


@pytest.mark.parametrize("whole", [100, 10_000, 1_000_000, 3_000_000])
def test_best__over_all_venues_side_by_side__is_exact_and_next_to_the_bound(whole: int) -> None:
    edges = tuple(Edge(address(n), SOURCE, SINK, side) for n, side in enumerate(sides().values(), 1))
    sold = whole * 10**18
    search = Search(Network(2, edges))
    balance = search.best(sold)
    assert balance is not None
    filled = fill(search.network, balance.loads, sold)
    assert filled is not None
    assert sum(swap.sold for swap in filled.swaps) == sold
    assert all(swap.brings == swap.edge.side.out(swap.sold) for swap in filled.swaps)
    bound = upper_bound(search.network, balance.heights, sold)
    assert bound * (1 - 1e-5) - len(edges) <= filled.out <= bound * (1 + 1e-6) + len(edges)


@pytest.mark.parametrize("name", sides())
def test_best__of_one_venue_beside_a_deep_pair__takes_its_part(name: str) -> None:
    deep = ConstantProduct.of((10**26, 10**14), (9_975, 10_000), (1 << 112) - 1)
    edges = (Edge(address(1), SOURCE, SINK, deep), Edge(address(2), SOURCE, SINK, sides()[name]))
    sold = 2_000_000 * 10**18
    search = Search(Network(2, edges))
    balance = search.best(sold)
    assert balance is not None
    filled = fill(search.network, balance.loads, sold)
    alone = deep.out(sold)
    assert filled is not None
    assert isinstance(alone, int)
    assert filled.out >= alone
    assert filled.out >= upper_bound(search.network, balance.heights, sold) * (1 - 1e-5)


# --- several sides of one pool ---------------------------------------------------------------------------------------

COINS = (DAI, USDC, USDT)
"""DAI and USDT above par, so that a part of what USDC is short of comes by way of USDT."""


def three_coins(kind: str) -> PoolState:
    held = [15_000_000, 10_000_000, 20_000_000]
    if kind == "curve":
        balances = [whole(coin, amount) for coin, amount in zip(COINS, held, strict=True)]
        swap = replace(stable(balances, 100, decimals=(18, 6, 6)), admin=5 * 10**9)
        return CurveState(pool_of(THREE, *COINS), THREE.coins, swap)
    tokens = scales(COINS)
    if kind == "balancer stable":
        return replace(
            stable_state(held, 100, fee=4 * 10**14), pool=stable_pool(tokens=COINS), scales=tokens, balances=_raw(held)
        )
    even = weighted_state([10_000_000] * 3, [34, 33, 33], fee=4 * 10**14)
    return replace(
        even,
        pool=replace(stable_pool(tokens=COINS), kind="balancer_weighted"),
        scales=tokens,
        balances=_raw([10_000_000] * 3),
    )


def _raw(held: list[int]) -> tuple[int, ...]:
    return tuple(whole(coin, amount) for coin, amount in zip(COINS, held, strict=True))


@pytest.mark.parametrize("kind", ["curve", "balancer stable", "balancer weighted"])
def test_allocate__over_a_pool_of_three_coins__quotes_each_side_after_the_one_before(kind: str) -> None:
    pool = three_coins(kind)
    beside = fake_pool(units(USDT, 30_000_000), units(USDC, 30_000_000), Fraction(1, 10_000), 0xB7)
    prices = {coin: market(coin, 1) for coin in COINS}
    view = make_view([units(coin, 8_000_000) for coin in COINS], prices, [pool, beside])
    found = routing().allocate(Trade(units(DAI, 6_000_000), USDC, usd(6_000_000)), view)
    assert isinstance(found, Route)
    state: PoolState | NoQuote = pool
    mine = [leg for leg in found.legs if leg.pool.address == pool.pool.address]
    assert {leg.buy for leg in mine} == {USDC, USDT}
    for leg in mine:
        assert not isinstance(state, NoQuote)
        assert leg.quote == state.out_for(leg.sell, leg.buy)
        state = state.after(leg.sell, leg.buy)
