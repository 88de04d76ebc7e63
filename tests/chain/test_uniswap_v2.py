"""Quotes of UniswapV2State against Router02 and the pairs themselves, over random pools, directions and sizes."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass
from fractions import Fraction

import pytest
from eth_abi.abi import decode

from keeper.core.abi import calldata
from keeper.core.chain import Read
from keeper.core.plan import Leg, OrderLeg
from keeper.core.pools import LimitExceeded, NoLiquidity, Pool, Router
from keeper.core.units import Token, TokenAmount
from keeper.venues.uniswap_v2 import MAX_RESERVE, UniswapV2, UniswapV2Pin, UniswapV2State
from tests.chain.node import Node
from tests.chain.pools import CASES, observe, pin_pool
from tests.chain.uniswap import Deployment, create_empty_pair, create_v2_pair, deploy_token, move_v2_pair, transfer

FOREVER = 1 << 40
DECIMALS = (0, 2, 6, 8, 18, 24)
AMOUNTS_OUT = "getAmountsOut(uint256,address[])"
AMOUNTS_IN = "getAmountsIn(uint256,address[])"


@dataclass(frozen=True)
class Case:
    state: UniswapV2State
    sell: Token
    buy: Token
    exact_in: bool
    raw: int


@pytest.fixture(scope="module")
def tokens(uniswap: Deployment) -> list[Token]:
    return [deploy_token(uniswap, f"T{decimals}", decimals) for decimals in DECIMALS]


@pytest.fixture(scope="module")
def states(uniswap: Deployment, tokens: list[Token]) -> list[UniswapV2State]:
    """Every pair of tokens, with reserves from a thousand raw units to all that a pair can hold."""
    dice = random.Random(2)
    found = []
    pairs = [(one, other) for i, one in enumerate(tokens) for other in tokens[i + 1 :]]
    for i, (one, other) in enumerate(pairs):
        high = 112 if i % 5 == 0 else 100
        amounts = [TokenAmount(token, int(2 ** dice.uniform(12, high))) for token in (one, other)]
        address = create_v2_pair(uniswap, *amounts)
        router = Router("v2_router", uniswap.v2_router) if i % 2 else Router("swap_router02", uniswap.swap_router02)
        pool = pin_pool(uniswap.node, UniswapV2Pin(), address, tokens, router)
        state, follow_ups = observe(uniswap.node, UniswapV2(), pool)
        assert isinstance(state, UniswapV2State)
        assert follow_ups == 0
        found.append(state)
    return found


def _cases(states: list[UniswapV2State]) -> list[Case]:
    dice = random.Random(2020)
    cases = []
    for i in range(CASES):
        state = states[i % len(states)]
        sell, buy = state.pool.tokens if dice.random() < 0.5 else state.pool.tokens[::-1]
        reserve = state.reserves[state.pool.tokens.index(sell)]
        out_reserve = state.reserves[state.pool.tokens.index(buy)]
        exact_in = i % 3 != 0
        raw = max(1, int(((reserve if exact_in else out_reserve) * 2) ** dice.random()))
        if dice.random() < 0.125:
            # To the edge: around what uint112 refuses, and almost all that the pair holds.
            raw = int(MAX_RESERVE * 2 ** dice.uniform(-3, 3)) if exact_in else out_reserve - dice.randrange(3)
        cases.append(Case(state, sell, buy, exact_in, raw))
    return cases


def test_quote__of_random_cases__is_what_router_and_pair_do(uniswap: Deployment, states: list[UniswapV2State]) -> None:
    cases = _cases(states)
    asked = []
    for case in cases:
        signature = AMOUNTS_OUT if case.exact_in else AMOUNTS_IN
        data = calldata(signature, case.raw, [case.sell.address, case.buy.address])
        asked.append(Read(uniswap.v2_router, data))
    told: Counter[str] = Counter()
    sales = []
    for case, answer in zip(cases, uniswap.node.calls(asked), strict=True):
        quote = _quote(case)
        if isinstance(quote, TokenAmount):
            assert answer is not None, (case, quote)
            (amounts,) = decode(["uint256[]"], answer)
            assert quote.raw == amounts[1 if case.exact_in else 0], case
            told["out" if case.exact_in else "in"] += 1
        elif isinstance(quote, NoLiquidity):
            assert answer is None, (case, quote)
            told["refused"] += 1
        else:
            told["limit"] += 1
        sales.append(_sale(case, quote))
    _sell_for_real(uniswap.node, [sale for sale in sales if sale is not None])
    assert min(told[kind] for kind in ("out", "in", "refused", "limit")) >= CASES // 100, told


def _quote(case: Case) -> object:
    if case.exact_in:
        return case.state.out_for(TokenAmount(case.sell, case.raw), case.buy)
    return case.state.in_for(TokenAmount(case.buy, case.raw), case.sell)


@dataclass(frozen=True)
class Sale:
    """A swap through the router, and what it must bring; None where it must fail."""

    pool: Pool
    sell: TokenAmount
    floor: TokenAmount
    brings: int | None


def _sale(case: Case, quote: object) -> Sale | None:
    """A quote's own swap, or the swap that a limit forbids. The pair itself has the last word."""
    if isinstance(quote, LimitExceeded) and case.exact_in:
        return Sale(case.state.pool, TokenAmount(case.sell, case.raw), TokenAmount(case.buy, 1), None)
    if not isinstance(quote, TokenAmount) or not quote.raw:
        return None
    sell = TokenAmount(case.sell, case.raw) if case.exact_in else quote
    brings = case.state.out_for(sell, case.buy)
    assert isinstance(brings, TokenAmount)
    assert case.exact_in or brings.raw >= case.raw, case
    return Sale(case.state.pool, sell, brings, brings.raw)


def _sell_for_real(node: Node, sales: list[Sale]) -> None:
    """Each with its quote as the floor, and again with a floor one higher, which the router must refuse."""
    assert len(sales) > CASES // 2
    exact = [_encode(node, sale, 0) for sale in sales]
    above = [_encode(node, sale, 1) for sale in sales]
    for sale, filled, refused in zip(sales, node.calls(exact), node.calls(above), strict=True):
        assert (None if filled is None else _received(sale, filled)) == sale.brings, sale
        assert refused is None, sale


def _encode(node: Node, sale: Sale, above: int) -> Read:
    floor = TokenAmount(sale.floor.token, sale.floor.raw + above)
    leg = OrderLeg(Leg((sale.pool,), sale.sell, floor, Fraction(1)), floor, TokenAmount.zero(floor.token))
    call = UniswapV2().encode(leg, node.deployer, FOREVER)
    assert call.to == sale.pool.router.address
    return Read(call.to, call.data)


def _received(sale: Sale, answer: bytes) -> int:
    """Router02 answers the amounts of the path, SwapRouter02 the answers of each call in its multicall."""
    if sale.pool.router.kind == "v2_router":
        (amounts,) = decode(["uint256[]"], answer)
        return int(amounts[-1])
    ((inner,),) = decode(["bytes[]"], answer)
    return int.from_bytes(inner, "big")


def test_state__after_a_swap__follows_the_pair(uniswap: Deployment) -> None:
    base, quote = deploy_token(uniswap, "BASE", 18), deploy_token(uniswap, "QUOTE", 6)
    address = create_v2_pair(uniswap, TokenAmount.from_whole(base, 1_000), TokenAmount.from_whole(quote, 3_000_000))
    router = Router("v2_router", uniswap.v2_router)
    pin = UniswapV2Pin({uniswap.v2_factory: uniswap.v2_router})
    pool = pin_pool(uniswap.node, pin, address, [base, quote], router, fee_ppm=0)
    assert pool.fee == Fraction(3, 1_000)
    for price in (Fraction(3_300), Fraction(2_500)):
        move_v2_pair(uniswap, address, base, quote, price)
        state, _ = observe(uniswap.node, UniswapV2(), pool)
        assert isinstance(state, UniswapV2State)
        marginal = state.marginal(base, quote)
        assert isinstance(marginal, Fraction)
        whole = marginal / (1 - pool.fee) * Fraction(10) ** (base.decimals - quote.decimals)
        assert abs(whole / price - 1) < Fraction(1, 500)


@pytest.mark.fault("M12")
def test_pair__with_one_side_empty__has_no_liquidity(uniswap: Deployment) -> None:
    one, other = deploy_token(uniswap, "ONE"), deploy_token(uniswap, "OTHER")
    address = create_empty_pair(uniswap, one, other)
    pool = pin_pool(uniswap.node, UniswapV2Pin(), address, [one, other], Router("v2_router", uniswap.v2_router))
    for raw in (0, 10**18):
        transfer(uniswap, TokenAmount(one, raw), address)
        uniswap.node.send(address, calldata("sync()"))
        state, _ = observe(uniswap.node, UniswapV2(), pool)
        assert isinstance(state, UniswapV2State)
        assert sorted(state.reserves) == [0, raw]
        for sell, buy in ((one, other), (other, one)):
            assert isinstance(state.out_for(TokenAmount(sell, 10**15), buy), NoLiquidity)
            assert isinstance(state.in_for(TokenAmount(buy, 10**15), sell), NoLiquidity)
            assert isinstance(state.marginal(sell, buy), NoLiquidity)
            data = calldata(AMOUNTS_OUT, 10**15, [sell.address, buy.address])
            assert uniswap.node.calls([Read(uniswap.v2_router, data)]) == [None]


def test_pin__of_something_else__is_none(uniswap: Deployment, tokens: list[Token]) -> None:
    pin = UniswapV2Pin()
    for address in (tokens[0].address, uniswap.v2_router, uniswap.v2_factory):
        reads = pin.reads(address)
        assert pin.pin(address, dict(zip(reads, uniswap.node.calls(reads), strict=True))) is None
