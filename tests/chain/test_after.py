"""One swap after another in the same pool on real bytecode, each foreseen by `PoolState.after`. ERC-4626 vaults have
theirs where they are compiled: test_erc4626.py."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction

import pytest

from keeper.core.plan import OrderLeg, Route, Trade
from keeper.core.pools import PoolState, Router
from keeper.core.units import TokenAmount
from keeper.local.anvil import run_anvil
from keeper.routing.floors import Floors
from keeper.routing.graph import Means
from keeper.routing.split import SplitRouting
from keeper.venues.balancer_fixed import ONE
from keeper.venues.balancer_pin import StablePin, WeightedPin
from keeper.venues.balancer_state import BalancerState
from keeper.venues.swaps import encode_together
from keeper.venues.uniswap_v2 import UniswapV2, UniswapV2Pin, UniswapV2State
from keeper.venues.uniswap_v3 import UniswapV3, UniswapV3Pin
from keeper.venues.uniswap_v3_state import UniswapV3State
from tests.builders import make_view, market, usd
from tests.chain.balancer import (
    STABLE,
    WEIGHTED,
    Balancer,
    deploy_balancer,
    in_order,
    join,
    new_rate,
    new_stable,
    new_token,
    new_weighted,
    pin_balancer,
)
from tests.chain.balancer_cases import VENUE as BALANCER
from tests.chain.consecutive import SWAPS, walk
from tests.chain.node import Node
from tests.chain.pools import observe, pin_pool
from tests.chain.uniswap import (
    Deployment,
    Position,
    add_positions,
    balance,
    create_v2_pair,
    create_v3_pool,
    deploy_token,
)

FOREVER = 1 << 40
# --- families --------------------------------------------------------------------------------------------------------


def test_after__swaps_in_pairs__is_what_the_pairs_hold(uniswap: Deployment) -> None:
    dice, kinds = random.Random(2), Counter[str]()
    for decimals in ((18, 6), (8, 24), (0, 18)):
        tokens = [deploy_token(uniswap, f"P{each}", each) for each in decimals]
        amounts = [TokenAmount(token, int(2 ** dice.uniform(30, 90))) for token in tokens]
        router = Router("v2_router", uniswap.v2_router)
        pool = pin_pool(uniswap.node, UniswapV2Pin(), create_v2_pair(uniswap, *amounts), tokens, router)
        state, _ = observe(uniswap.node, UniswapV2(), pool)
        assert isinstance(state, UniswapV2State)
        kinds += walk(uniswap.node, UniswapV2(), state, SWAPS // 3, seed=22)
    assert kinds["swaps"] > SWAPS * 0.8, kinds


@pytest.mark.parametrize("fee", [100, 3_000])
def test_after__swaps_over_ranges__is_where_the_pool_stands(uniswap: Deployment, fee: int) -> None:
    """Positions side by side, one within another, and a gap between them."""
    one, other = deploy_token(uniswap, "ONE"), deploy_token(uniswap, "OTHER")
    address = create_v3_pool(uniswap, one, other, fee, Fraction(1))
    router, venue = Router("swap_router", uniswap.swap_router), UniswapV3(60_000, 60_000)
    pool = pin_pool(uniswap.node, UniswapV3Pin(), address, [one, other], router)
    gap = pool.spacing
    near = [(-2, 1, 10**20), (1, 5, 10**19), (-9, -2, 3 * 10**19), (-60, 70, 10**19), (40, 41, 10)]
    positions = [Position(low * gap, high * gap, size) for low, high, size in near]
    positions.append(Position(-30_000 // gap * gap, 30_000 // gap * gap, 10**19))
    add_positions(uniswap, one, other, fee, 1 << 96, positions)
    state, _ = observe(uniswap.node, venue, pool)
    assert isinstance(state, UniswapV3State)
    kinds = walk(uniswap.node, venue, state, SWAPS, seed=33)
    assert kinds["swaps"] > SWAPS * 0.8, kinds
    assert kinds["edge"] > SWAPS // 50, kinds


@pytest.fixture(scope="module")
def balancer() -> Iterator[Balancer]:
    with run_anvil(options=["--gas-limit", "1000000000"]) as running:
        yield deploy_balancer(Node(running.url))


@pytest.mark.parametrize("generation", [*WEIGHTED, *STABLE])
def test_after__swaps_through_the_vault__is_what_it_holds(balancer: Balancer, generation: str) -> None:
    tokens = in_order([new_token(balancer, f"B{decimals}", decimals) for decimals in (18, 6)])
    if generation in WEIGHTED:
        address = new_weighted(balancer, generation, tokens, [8 * ONE // 10, 2 * ONE // 10], 3 * 10**15)
    else:
        rates = [] if generation.startswith("stable") else [new_rate(balancer, 11 * ONE // 10) for _ in tokens]
        # {s} Far longer than the test: a phantom pool cannot tell what it is after a swap, with or without.
        address = new_stable(balancer, generation, tokens, 200, 4 * 10**14, rates, [10**7] * len(rates))
    pool = pin_balancer(balancer, WeightedPin() if generation in WEIGHTED else StablePin(), address)
    join(balancer, pool, [10**token.decimals * 3 * 10**6 for token in pool.tokens])
    state, _ = observe(balancer.node, BALANCER, pool)
    assert isinstance(state, BalancerState)
    kinds, count = walk(balancer.node, BALANCER, state, SWAPS // 5, seed=55), SWAPS // 5
    assert kinds["refused" if generation == "phantom 2021" else "swaps"] > count * 0.7, kinds


# --- a route ---------------------------------------------------------------------------------------------------------


def test_route__whose_legs_share_a_pair__fills_in_one_multicall_to_the_wei(uniswap: Deployment) -> None:
    """BASE goes to MID in a pair and by way of SIDE in two others; what arrives goes on in the same last pair."""
    base, quote, mid, side = tokens = [deploy_token(uniswap, name) for name in ("BASE", "QUOTE", "MID", "SIDE")]
    router, states = Router("swap_router02", uniswap.swap_router02), list[PoolState]()
    for one, other in ((base, mid), (base, side), (side, mid), (mid, quote)):
        pair = create_v2_pair(uniswap, TokenAmount.from_whole(one, 1_000), TokenAmount.from_whole(other, 1_000))
        state, _ = observe(uniswap.node, UniswapV2(), pin_pool(uniswap.node, UniswapV2Pin(), pair, tokens, router))
        assert isinstance(state, UniswapV2State)
        states.append(state)
    prices = {token: market(token, 1) for token in (base, quote)}
    held = [TokenAmount.from_whole(token, 1_000) for token in (base, quote)]
    view = make_view(held, prices, states)
    routing = SplitRouting(
        Floors(30, 50, 600), Means(lambda pools: len({each.kind for each in pools}) == 1, atomic=False)
    )
    sold = TokenAmount.from_whole(base, 200)
    route = routing.allocate(Trade(sold, quote, usd(200)), view)
    assert isinstance(route, Route)
    assert sorted(len(leg.pools) for leg in route.legs) == [2, 3]
    assert len({leg.pools[-1] for leg in route.legs}) == 1
    legs = [OrderLeg(leg, leg.quote, TokenAmount.zero(quote)) for leg in route.legs]
    call, node = encode_together(legs, uniswap.node.deployer, FOREVER), uniswap.node
    before = balance(node, quote, node.deployer)
    # Each leg's floor is its quote, so that none may bring less: the sum shows that none brings more.
    node.send(call.to, call.data)
    assert (balance(node, quote, node.deployer) - before).raw == sum(leg.quote.raw for leg in route.legs)
