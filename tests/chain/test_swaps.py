"""Paths and splits through the real routers: every leg fills exactly as quoted, in one call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import pytest

from keeper.core.abi import calldata
from keeper.core.calls import Call
from keeper.core.chain import Unusable
from keeper.core.plan import OrderLeg
from keeper.core.pools import PoolState, Router
from keeper.core.ports import Venue
from keeper.core.units import Address, Token, TokenAmount
from keeper.guards.swaps import decode_swaps
from keeper.routing.gas import SWAP_GAS
from keeper.venues.swaps import encode_together
from keeper.venues.uniswap_v2 import UniswapV2, UniswapV2Pin
from keeper.venues.uniswap_v3 import UniswapV3, UniswapV3Pin
from tests.chain.node import NodeError
from tests.chain.pools import along, gas_of_one_more, observe, pin_pool
from tests.chain.uniswap import (
    Deployment,
    balance,
    create_v2_pair,
    create_v3_pool,
    deploy_token,
    position_around,
    wrap,
)

FOREVER = 1 << 40
VENUES: dict[str, Venue] = {"uniswap_v2": UniswapV2(), "uniswap_v3": UniswapV3()}


@dataclass(frozen=True)
class Market:
    """BASE at 3,000 QUOTE in a pair and two pools, and QUOTE at 1 STABLE in a pair and a pool."""

    uniswap: Deployment
    base: Token
    quote: Token
    stable: Token
    at: dict[str, Address]

    def state(self, name: str, router: str) -> PoolState:
        uniswap = self.uniswap
        known = {
            "v2_router": uniswap.v2_router,
            "swap_router": uniswap.swap_router,
            "swap_router02": uniswap.swap_router02,
        }
        pin = UniswapV2Pin() if name.startswith("pair") else UniswapV3Pin()
        tokens = [self.base, self.quote, self.stable]
        pool = pin_pool(uniswap.node, pin, self.at[name], tokens, Router(router, known[router]))
        state, _ = observe(uniswap.node, VENUES[pool.kind], pool)
        assert not isinstance(state, Unusable), state
        return state


@pytest.fixture(scope="module")
def market(uniswap: Deployment) -> Market:
    base, quote = deploy_token(uniswap, "BASE"), deploy_token(uniswap, "QUOTE", 6)
    stable = deploy_token(uniswap, "STABLE", 8)
    price, one = Fraction(3_000), Fraction(1)

    def whole(*amounts: tuple[Token, int]) -> list[TokenAmount]:
        return [TokenAmount.from_whole(token, figure) for token, figure in amounts]

    def pool(pair: Sequence[TokenAmount], fee: int, at: Fraction) -> Address:
        positions = [position_around(*pair, fee, at, width) for width in (300, 2_000)]
        return create_v3_pool(uniswap, pair[0].token, pair[1].token, fee, at, positions)

    deep, level = whole((base, 1_000), (quote, 3_000_000)), whole((quote, 5_000_000), (stable, 5_000_000))
    at = {
        "pair": create_v2_pair(uniswap, *deep),
        "pool 0.05 %": pool(deep, 500, price),
        "pool 0.3 %": pool(deep, 3_000, price),
        "pair of stables": create_v2_pair(uniswap, *level),
        "pool of stables": pool(level, 100, one),
    }
    return Market(uniswap, base, quote, stable, at)


def above(leg: OrderLeg) -> OrderLeg:
    return OrderLeg(leg.leg, TokenAmount(leg.leg.buy, leg.min_out.raw + 1), leg.oracle_floor)


def assert_fills(market: Market, call: Call, legs: Sequence[OrderLeg]) -> None:
    """The whole call brings what its legs were quoted, and takes what they sell."""
    node, buy, router = market.uniswap.node, legs[0].leg.buy, legs[0].leg.router
    swaps = decode_swaps(router, call.data)
    assert not isinstance(swaps, str), swaps
    told = [(swap.tokens, swap.sell, swap.min_out, swap.recipient, swap.deadline) for swap in swaps]
    assert told == [
        (tuple(token.address for token in leg.leg.tokens), leg.leg.sell.raw, leg.min_out.raw, node.deployer, FOREVER)
        for leg in legs
    ]
    before = [balance(node, token, node.deployer) for token in (market.base, buy)]
    node.send(call.to, call.data)
    after = [balance(node, token, node.deployer) for token in (market.base, buy)]
    assert before[0] - after[0] == call.spends
    assert (after[1] - before[1]).raw == sum(leg.leg.quote.raw for leg in legs)


@pytest.mark.parametrize(
    ("family", "router"),
    [("pair", "v2_router"), ("pair", "swap_router02"), ("pool", "swap_router"), ("pool", "swap_router02")],
)
def test_path__of_two_pools__fills_as_quoted_to_the_wei(market: Market, family: str, router: str) -> None:
    first = "pair" if family == "pair" else "pool 0.05 %"
    states = [market.state(first, router), market.state(f"{family} of stables", router)]
    leg = along(states, TokenAmount.from_whole(market.base, "12.345"), [market.quote, market.stable])
    venue, node = VENUES[states[0].pool.kind], market.uniswap.node
    dear = venue.encode(above(leg), node.deployer, FOREVER)
    with pytest.raises(NodeError):
        node.send(dear.to, dear.data)
    assert_fills(market, venue.encode(leg, node.deployer, FOREVER), [leg])


def split(market: Market, router: str, parts: dict[str, str]) -> list[OrderLeg]:
    return [
        along([market.state(name, router)], TokenAmount.from_whole(market.base, whole), [market.quote])
        for name, whole in parts.items()
    ]


def test_split__over_two_pools_and_a_pair__is_one_multicall_that_fills_each_leg(market: Market) -> None:
    legs = split(market, "swap_router02", {"pair": "3.1", "pool 0.05 %": "41.5", "pool 0.3 %": "17.77"})
    node = market.uniswap.node
    for wrong in range(3):
        dear = [above(leg) if i == wrong else leg for i, leg in enumerate(legs)]
        call = encode_together(dear, node.deployer, FOREVER)
        with pytest.raises(NodeError):
            node.send(call.to, call.data)
    assert_fills(market, encode_together(legs, node.deployer, FOREVER), legs)


def test_split__through_swap_router__is_one_plain_multicall(market: Market) -> None:
    legs = split(market, "swap_router", {"pool 0.05 %": "5", "pool 0.3 %": "2.5"})
    assert_fills(market, encode_together(legs, market.uniswap.node.deployer, FOREVER), legs)


def test_split__over_a_pool_and_a_path__fills_each_leg(market: Market) -> None:
    """BASE for STABLE: over the pair and the pair of stables, and over a pool and the pool of stables."""
    router = "swap_router02"
    ways = [("pair", "pair of stables"), ("pool 0.3 %", "pool of stables")]
    legs = [
        along([market.state(name, router) for name in names], TokenAmount.from_whole(market.base, 4), tokens)
        for names in ways
        for tokens in [[market.quote, market.stable]]
    ]
    assert_fills(market, encode_together(legs, market.uniswap.node.deployer, FOREVER), legs)


def test_split__after_its_deadline__reverts_whole(market: Market) -> None:
    legs = split(market, "swap_router02", {"pair": "1", "pool 0.3 %": "1"})
    node = market.uniswap.node
    call = encode_together(legs, node.deployer, 1)
    with pytest.raises(NodeError):
        node.send(call.to, call.data)


@pytest.mark.parametrize(
    ("first", "second", "router"),
    [("pair", "pair of stables", "v2_router"), ("pool 0.3 %", "pool of stables", "swap_router")],
)
def test_gas__of_one_more_pool__is_what_routing_counts(market: Market, first: str, second: str, router: str) -> None:
    """Where no tick is crossed."""
    states, sell = [market.state(name, router) for name in (first, second)], TokenAmount(market.base, 10**15)
    kind = states[1].pool.kind
    more = gas_of_one_more(market.uniswap.node, VENUES[kind], states, sell, [market.quote, market.stable])
    assert more == pytest.approx(SWAP_GAS[kind], rel=0.05)


def test_gas__of_wrapping_and_unwrapping__is_about_what_routing_counts(uniswap: Deployment) -> None:
    """Beside what any transaction takes."""
    wrap(uniswap, 1)
    for data, value in ((calldata("deposit()"), 10**18), (calldata("withdraw(uint256)", 10**18), 0)):
        receipt = uniswap.node.send(uniswap.weth.address, data, value)
        assert int(receipt["gasUsed"], 16) - 21_000 == pytest.approx(SWAP_GAS["weth"], rel=0.5)
