"""Quotes of UniswapV3State against QuoterV2 and the routers, over random pools, positions, directions and sizes."""

from __future__ import annotations

import random
from collections import Counter
from fractions import Fraction

import pytest
from eth_abi.abi import decode

from keeper.core.abi import calldata
from keeper.core.chain import Read, Unusable
from keeper.core.plan import Leg, OrderLeg
from keeper.core.pools import NoLiquidity, Router
from keeper.core.ticks import MAX_TICK
from keeper.core.units import Token, TokenAmount
from keeper.venues.uniswap_v3 import UniswapV3, UniswapV3Pin
from keeper.venues.uniswap_v3_state import UniswapV3State
from keeper.venues.uniswap_v3_walk import WORD_BITS
from tests.chain.pools import CASES, observe, pin_pool
from tests.chain.quoter import ask
from tests.chain.uniswap import (
    SPACINGS,
    Deployment,
    Position,
    add_positions,
    balance,
    create_v3_pool,
    create_v3_pool_at,
    deploy_token,
    nearest_tick,
    v3_pool,
)
from tests.chain.v3_cases import Case, Told, compare, random_cases, random_positions

FOREVER = 1 << 40
DECIMALS = (0, 2, 6, 8, 18, 24)
ROUTES = "swap_router", "swap_router02"
NARROW = UniswapV3()
"""As the keeper reads."""


def _wide(spacing: int) -> UniswapV3:
    """Far enough to sell a pool out, except at spacing 1, where that would be 7,000 words."""
    reach = 200 * WORD_BITS if spacing == 1 else 2 * MAX_TICK
    return UniswapV3(reach, reach)


@pytest.fixture(scope="module")
def tokens(uniswap: Deployment) -> list[Token]:
    return [deploy_token(uniswap, f"V{decimals}", decimals) for decimals in DECIMALS]


@pytest.fixture(scope="module")
def states(uniswap: Deployment, tokens: list[Token]) -> list[UniswapV3State]:
    """A pool of every pair of tokens, fees in turn, each read as the keeper does and again as far as its ends."""
    dice = random.Random(3)
    found = []
    pairs = [(one, other) for i, one in enumerate(tokens) for other in tokens[i + 1 :]]
    for i, (one, other) in enumerate(pairs):
        fee = list(SPACINGS)[i % len(SPACINGS)]
        # {raw per raw} as far from 1 as the tokens' decimals are, and a price within four magnitudes on top
        price = Fraction(int(10 ** dice.uniform(4, 8)), 10**6)
        address = create_v3_pool(uniswap, one, other, fee, price)
        kind = ROUTES[i % 2]
        router = Router(kind, uniswap.swap_router if kind == "swap_router" else uniswap.swap_router02)
        pool = pin_pool(uniswap.node, UniswapV3Pin(), address, tokens, router)
        sqrt = int.from_bytes(uniswap.node.call(address, calldata("slot0()"))[:32], "big")
        positions = random_positions(dice, nearest_tick(sqrt), pool.spacing, 16 + 4 * i)
        add_positions(uniswap, one, other, fee, sqrt, positions)
        for venue in (NARROW, _wide(pool.spacing)):
            state, follow_ups = observe(uniswap.node, venue, pool)
            assert isinstance(state, UniswapV3State)
            assert follow_ups == 2
            found.append(state)
    return found


@pytest.fixture(scope="module")
def cases(uniswap: Deployment, states: list[UniswapV3State]) -> list[Case]:
    """Sizes from one raw unit to more than the pool holds, most of them near its end."""
    dice = random.Random(2021)
    held = {
        (state.pool.address, token): balance(uniswap.node, token, state.pool.address).raw
        for state in states
        for token in state.pool.tokens
    }
    return random_cases(dice, states, held, CASES)


@pytest.mark.fault("M18")
@pytest.mark.fault("M19")
def test_quote__of_random_cases__is_what_the_quoter_says(uniswap: Deployment, cases: list[Case]) -> None:
    pairs = list(zip(cases, ask(uniswap, cases), strict=True))
    kinds = compare(pairs)
    for case, told in pairs:
        if told is not None and isinstance(case.quote, TokenAmount):
            kinds["ten ticks"] += told.crossed >= 10
            kinds["thirty ticks"] += told.crossed >= 30
            kinds["empty word"] += _crosses_empty_word(case, told)
    assert kinds["in"] + kinds["out"] > CASES // 2, kinds
    floors = {"in": 20, "out": 20, "down": 20, "up": 20, "ten ticks": 100, "thirty ticks": 200, "empty word": 100}
    for kind, part in (floors | {"not read": 50, "runs out": 80}).items():
        assert kinds[kind] >= CASES // part, kinds


def _crosses_empty_word(case: Case, told: Told) -> bool:
    """A whole bitmap word without a tick lies between the price before and after."""
    low, high = sorted((case.state.tick, nearest_tick(told.price)))
    span = WORD_BITS * case.state.pool.spacing
    return any(case.state.words.get(index) == 0 for index in range(low // span + 1, high // span))


def test_swap__with_the_quote_as_floor__fills_and_one_more_reverts(uniswap: Deployment, cases: list[Case]) -> None:
    """Through both routers' own calldata, as the venue encodes it."""
    node = uniswap.node
    filled, refused, quotes = [], [], []
    for case in cases[: max(CASES // 3, 100)]:
        sell = TokenAmount(case.sell, case.raw)
        quote = case.state.out_for(sell, case.buy)
        if isinstance(quote, TokenAmount) and quote.raw and sell.raw < 1 << 200:
            quotes.append((case, quote.raw))
            for reads, more in ((filled, 0), (refused, 1)):
                floor = TokenAmount(case.buy, quote.raw + more)
                leg = OrderLeg(Leg((case.state.pool,), sell, floor, Fraction(1)), floor, TokenAmount.zero(case.buy))
                call = NARROW.encode(leg, node.deployer, FOREVER)
                reads.append(Read(call.to, call.data))
    assert len(quotes) > CASES // 10
    routers: Counter[str] = Counter()
    for (case, expected), answer, more in zip(quotes, node.calls(filled), node.calls(refused), strict=True):
        assert answer is not None, case
        kind = case.state.pool.router.kind
        got = answer if kind == "swap_router" else decode(["bytes[]"], answer)[0][0]
        assert int.from_bytes(got, "big") == expected, case
        assert more is None, case
        routers[kind] += 1
    assert min(routers[kind] for kind in ROUTES) > 20, routers


def test_in_for__sold_exactly__brings_at_least_that(cases: list[Case]) -> None:
    tried = 0
    for case in cases:
        needed = case.quote
        if case.exact_in or not isinstance(needed, TokenAmount):
            continue
        brings = case.state.out_for(needed, case.buy)
        assert isinstance(brings, TokenAmount), case
        assert brings.raw >= case.raw, case
        tried += 1
    assert tried > CASES // 10


@pytest.mark.fault("M12")
def test_pool__without_liquidity_at_its_price__gives_nothing(uniswap: Deployment) -> None:
    one, other = deploy_token(uniswap, "ONE"), deploy_token(uniswap, "OTHER")
    router = Router("swap_router", uniswap.swap_router)
    address = create_v3_pool_at(uniswap, one, other, 3_000, 1 << 96)
    pool = pin_pool(uniswap.node, UniswapV3Pin(), address, [one, other], router)
    for positions in ([], [Position(60, 120, 10**20)], [Position(-120, -60, 10**20)]):
        add_positions(uniswap, one, other, 3_000, 1 << 96, positions)
        state, _ = observe(uniswap.node, NARROW, pool)
        assert isinstance(state, UniswapV3State)
        for sell, buy in ((one, other), (other, one)):
            assert isinstance(state.out_for(TokenAmount(sell, 10**15), buy), NoLiquidity)
            assert isinstance(state.in_for(TokenAmount(buy, 10**15), sell), NoLiquidity)
            assert isinstance(state.marginal(sell, buy), NoLiquidity)


@pytest.mark.fault("M19")
def test_pool__asked_for_more_than_it_holds__refuses_what_the_router_fills_in_part(uniswap: Deployment) -> None:
    one, other = deploy_token(uniswap, "ONE"), deploy_token(uniswap, "OTHER")
    address = create_v3_pool_at(uniswap, one, other, 3_000, 1 << 96, [Position(-600, 600, 10**20)])
    router = Router("swap_router", uniswap.swap_router)
    pool = pin_pool(uniswap.node, UniswapV3Pin(), address, [one, other], router)
    state, _ = observe(uniswap.node, _wide(60), pool)
    assert isinstance(state, UniswapV3State)
    for sell, buy in ((one, other), (other, one)):
        cases = [Case(state, sell, buy, exact_in, 10**20) for exact_in in (True, False)]
        filled, wanted = ask(uniswap, cases)
        assert filled is not None
        assert filled.is_partial
        assert wanted is None
        for case in cases:
            assert isinstance(case.quote, NoLiquidity)
            assert "runs out of liquidity" in case.quote.reason


def test_pool__before_its_first_price__is_unusable(uniswap: Deployment) -> None:
    one, other = deploy_token(uniswap, "ONE"), deploy_token(uniswap, "OTHER")
    data = calldata("createPool(address,address,uint24)", one.address, other.address, 3_000)
    uniswap.node.send(uniswap.v3_factory, data)
    address = v3_pool(uniswap, one, other, 3_000)
    pool = pin_pool(uniswap.node, UniswapV3Pin(), address, [one, other], Router("swap_router", uniswap.swap_router))
    assert observe(uniswap.node, NARROW, pool) == (Unusable("the pool has no price yet"), 0)


def test_pin__of_something_else__is_none(uniswap: Deployment, tokens: list[Token]) -> None:
    pin = UniswapV3Pin()
    for address in (tokens[0].address, uniswap.swap_router, uniswap.v3_factory):
        reads = pin.reads(address)
        assert pin.pin(address, dict(zip(reads, uniswap.node.calls(reads), strict=True))) is None
