"""Quotes in PancakeSwap v3 and Slipstream against their own pools, over random pools, positions, directions and sizes,
and what their routers then fill."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import pytest
from eth_abi.abi import decode

from keeper.core.abi import calldata
from keeper.core.calls import Call
from keeper.core.chain import Read
from keeper.core.plan import Leg, OrderLeg
from keeper.core.ticks import MAX_TICK
from keeper.core.units import Address, Token, TokenAmount
from keeper.guards.swaps import decode_swaps
from keeper.local.anvil import run_anvil
from keeper.routing.gas import SWAP_GAS
from keeper.venues.pancake_v3 import PANCAKE_V3_PIN
from keeper.venues.slipstream import SLIPSTREAM_PIN
from keeper.venues.swaps import encode_together
from keeper.venues.uniswap_v3 import ENOUGH, REACH, UniswapV3Pin
from keeper.venues.uniswap_v3_state import UniswapV3State
from keeper.venues.uniswap_v3_walk import WORD_BITS
from tests.chain.node import Node, NodeError
from tests.chain.pools import FEW, along, gas_of_one_more, observe, pin_pool
from tests.chain.uniswap import Position, balance, nearest_tick, sqrt_price
from tests.chain.v3_cases import Case, compare, random_cases, random_positions
from tests.chain.v3_forks import (
    Fork,
    add_positions,
    ask_pools,
    create_pool,
    deploy_fee_module,
    deploy_pancake,
    deploy_slipstream,
)

FOREVER = 1 << 40
FREE = 420
"""How an owner of Slipstream's fees writes that there is none."""
DECIMALS = (2, 6, 8, 18, 24)
DEPLOYS = {"pancake": deploy_pancake, "slipstream": deploy_slipstream}


@dataclass(frozen=True)
class Market:
    fork: Fork
    tokens: list[Token]
    states: list[UniswapV3State]
    cases: list[Case]

    def state(self, address: Address, reach: int = REACH, enough: int = ENOUGH) -> UniswapV3State:
        fork = self.fork
        pool = pin_pool(fork.node, fork.pin, address, self.tokens, fork.router)
        state, _ = observe(fork.node, fork.venue(reach, enough), pool)
        assert isinstance(state, UniswapV3State), state
        return state

    def held(self, token: Token) -> int:
        return balance(self.fork.node, token, self.fork.node.deployer).raw


@pytest.fixture(scope="module", params=DEPLOYS)
def market(node: Node, request: pytest.FixtureRequest) -> Market:
    """A pool of every pair of tokens, each read as the keeper does and again as far as its ends."""
    fork = DEPLOYS[request.param](node)
    dice, keys = random.Random(7), list(fork.keys)
    tokens = [fork.token(f"F{decimals}", decimals) for decimals in DECIMALS]
    market = Market(fork, tokens, [], [])
    for i, (one, other) in enumerate((one, other) for at, one in enumerate(tokens) for other in tokens[at + 1 :]):
        key = keys[i % len(keys)]
        sqrt, spacing = sqrt_price(one, other, Fraction(int(10 ** dice.uniform(4, 8)), 10**6)), fork.keys[key]
        address = create_pool(fork, one, other, key, sqrt)
        add_positions(fork, address, random_positions(dice, nearest_tick(sqrt), spacing, 12 + 4 * i))
        far = 200 * WORD_BITS if spacing == 1 else 2 * MAX_TICK
        market.states.extend((market.state(address), market.state(address, far, far)))
    held = {
        (state.pool.address, token): balance(node, token, state.pool.address).raw
        for state in market.states
        for token in state.pool.tokens
    }
    market.cases.extend(random_cases(dice, market.states, held, FEW))
    return market


@pytest.mark.fault("M18")
@pytest.mark.fault("M19")
def test_quote__of_random_cases__is_what_the_pool_does(market: Market) -> None:
    kinds = compare(zip(market.cases, ask_pools(market.fork, market.cases), strict=True))
    assert kinds["in"] + kinds["out"] > FEW // 2, kinds
    for kind, part in {"in": 20, "out": 20, "down": 20, "up": 20, "not read": 50, "runs out": 80}.items():
        assert kinds[kind] >= FEW // part, kinds


def fills(market: Market, cases: Sequence[Case]) -> list[OrderLeg]:
    """Sales with their quotes as floors, as far as they can be filled."""
    legs = []
    for case in cases:
        sell = TokenAmount(case.sell, case.raw)
        quote = case.state.out_for(sell, case.buy)
        if isinstance(quote, TokenAmount) and quote.raw and sell.raw < 1 << 200:
            leg = Leg((case.state.pool,), sell, quote, Fraction(1))
            legs.append(OrderLeg(leg, quote, TokenAmount.zero(case.buy)))
    return legs


def above(leg: OrderLeg) -> OrderLeg:
    return OrderLeg(leg.leg, TokenAmount(leg.leg.buy, leg.min_out.raw + 1), leg.oracle_floor)


def send(market: Market, call: Call, sell: Token, buy: Token) -> int:
    """What the router really brings for what it really takes."""
    before = market.held(sell), market.held(buy)
    market.fork.node.send(call.to, call.data)
    assert call.spends == TokenAmount(sell, before[0] - market.held(sell))
    return market.held(buy) - before[1]


def test_swap__through_the_router__fills_as_quoted_and_one_more_reverts(market: Market) -> None:
    node, venue, legs = market.fork.node, market.fork.venue(), fills(market, market.cases)
    assert len(legs) > len(market.cases) // 5
    calls = [[venue.encode(each, node.deployer, FOREVER) for each in (leg, above(leg))] for leg in legs]
    filled, refused = (node.calls([Read(call.to, call.data) for call in each]) for each in zip(*calls, strict=True))
    for leg, (call, _), answer in zip(legs, calls, filled, strict=True):
        (swap,) = decode_swaps(leg.leg.router, call.data)
        assert not isinstance(swap, str)
        assert (swap.sell, swap.min_out, swap.recipient) == (leg.leg.sell.raw, leg.min_out.raw, node.deployer)
        assert answer is not None, leg
        got = decode(["bytes[]"], answer)[0][0] if leg.leg.router.kind == "pancake_router" else answer
        assert int.from_bytes(got, "big") == leg.leg.quote.raw
    assert refused == [None] * len(legs)


@dataclass(frozen=True)
class Row:
    """Three tokens, and a pool of the first and second, of the second and third, and of the first and third."""

    market: Market
    states: list[UniswapV3State]


@pytest.fixture(scope="module")
def row(market: Market) -> Row:
    fork = market.fork
    one, two, three = (fork.token(symbol, 18) for symbol in ("ONE", "TWO", "THREE"))
    found = Row(Market(fork, [one, two, three], [], []), [])
    key = list(fork.keys)[1]
    for pair in ((one, two), (two, three), (one, three)):
        address = create_pool(fork, *pair, key, 1 << 96)
        add_positions(fork, address, [Position(-200 * fork.keys[key], 200 * fork.keys[key], 10**24)])
        found.states.append(found.market.state(address))
    return found


def test_path_and_multicall__through_the_router__fill_as_quoted(row: Row) -> None:
    """From one token by way of another to a third, beside the pool that both have."""
    market, (one, two, three) = row.market, row.market.tokens
    node, venue, sell = market.fork.node, market.fork.venue(), TokenAmount.from_whole(one, "12.345")
    path = along(row.states[:2], sell, [two, three])
    assert send(market, venue.encode(path, node.deployer, FOREVER), one, three) == path.leg.quote.raw
    now = [market.state(state.pool.address) for state in row.states]
    path, direct = along(now[:2], sell, [two, three]), along(now[2:], sell, [three])
    for legs, until in (([above(path), direct], FOREVER), ([path, above(direct)], FOREVER), ([path, direct], 1)):
        bad = encode_together(legs, node.deployer, until)
        with pytest.raises(NodeError):
            node.call(bad.to, bad.data)
    together = encode_together([path, direct], node.deployer, FOREVER)
    assert send(market, together, one, three) == path.leg.quote.raw + direct.leg.quote.raw


def test_gas__of_one_more_pool__is_what_routing_counts(row: Row) -> None:
    market, (one, *way) = row.market, row.market.tokens
    more = gas_of_one_more(market.fork.node, market.fork.venue(), row.states[:2], TokenAmount.from_whole(one, 1), way)
    assert more == pytest.approx(SWAP_GAS[row.states[0].pool.kind], rel=0.05)


def test_pin__of_a_fork__is_nobody_elses(market: Market) -> None:
    at = market.states[0].pool.address
    for pin in (UniswapV3Pin(), PANCAKE_V3_PIN, SLIPSTREAM_PIN):
        reads = pin.reads(at)
        found = pin.pin(at, dict(zip(reads, market.fork.node.calls(reads), strict=True)))
        assert (found is not None) == (pin == market.fork.pin)


# --- what only one of them has ---------------------------------------------------------------------------------------


def some_cases(market: Market, states: Sequence[UniswapV3State]) -> list[Case]:
    """Small ones, both ways, in and out."""
    found = []
    for state in states:
        for sell, buy in (state.pool.tokens, state.pool.tokens[::-1]):
            found += [Case(state, sell, buy, exact_in, 10**at) for exact_in in (True, False) for at in (3, 6, 9, 12)]
    return found


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[Node]:
    """A node whose time moves."""
    with run_anvil(options=["--gas-limit", "1000000000"]) as running:
        yield Node(running.url)


@pytest.fixture(scope="module")
def pancake(elsewhere: Node) -> Market:
    return alone(deploy_pancake(elsewhere))


@pytest.fixture(scope="module")
def slipstream(elsewhere: Node) -> Market:
    return alone(deploy_slipstream(elsewhere))


def alone(fork: Fork) -> Market:
    """One pool of two tokens, deep around 1."""
    tokens = [fork.token("ONE", 18), fork.token("OTHER", 18)]
    key = list(fork.keys)[1]
    pool = create_pool(fork, *tokens, key, 1 << 96)
    add_positions(fork, pool, [Position(-20 * fork.keys[key], 20 * fork.keys[key], 10**20)])
    market = Market(fork, tokens, [], [])
    market.states.append(market.state(pool))
    return market


@pytest.mark.parametrize("shares", [(0, 0), (1_000, 4_000), (4_000, 0)])
def test_pancake__whatever_share_of_the_fee_is_the_protocols__gives_the_same(
    pancake: Market, shares: tuple[int, int]
) -> None:
    """In 32 bits, of which a reader of Uniswap's 8 would refuse most."""
    before, fork = pancake.states[0], pancake.fork
    fork.node.send(fork.factory, calldata("setFeeProtocol(address,uint32,uint32)", before.pool.address, *shares))
    state = pancake.state(before.pool.address)
    assert (state.sqrt_price, state.liquidity) == (before.sqrt_price, before.liquidity)
    cases = some_cases(pancake, [state])
    assert compare(zip(cases, ask_pools(fork, cases), strict=True)).keys() == {"in", "out", "up", "down"}


def test_slipstream__whose_fee_follows_the_price__is_quoted_at_that_of_the_block(slipstream: Market) -> None:
    """The owner's base, and more of it the further the price has left its mean."""
    fork, pool = slipstream.fork, slipstream.states[0].pool
    node, seen = fork.node, list[int]()
    module = deploy_fee_module(fork, scaling=3 * 10**6, most=50_000)
    node.send(pool.address, calldata("increaseObservationCardinalityNext(uint16)", 10))
    sales = [(1, 10**9), (1, 10**9), (700, 10**9), *((3_000, sold * 10**17) for sold in (2, 10, 20)), (FREE, 10**9)]
    for base, sold in sales:
        node.send(module, calldata("setCustomFee(address,uint24)", pool.address, base))
        node.rpc("evm_increaseTime", hex(6))
        node.send(fork.hands, calldata("swap(address,bool,int256)", pool.address, True, sold))
        state, _ = observe(node, fork.venue(), pool)
        assert isinstance(state, UniswapV3State)
        seen.append(int(state.pool.fee * 10**6))
        cases = some_cases(slipstream, [state])
        assert compare(zip(cases, ask_pools(fork, cases), strict=True)).keys() == {"in", "out", "up", "down"}
    assert (seen[0], seen[2]) == (1, 700)
    assert 3_000 < seen[3] < seen[4] < seen[5]
    assert seen[6] == 0
