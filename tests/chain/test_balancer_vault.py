"""Balancer pools as the Vault trades them, one and several in a call, and how they are recognised."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from fractions import Fraction

import pytest
from eth_abi.abi import decode

from keeper.core.chain import Read
from keeper.core.plan import Leg, OrderLeg
from keeper.core.pools import LimitExceeded, NoLiquidity, NoQuote
from keeper.core.units import Address, Token, TokenAmount
from keeper.local.anvil import run_anvil
from keeper.routing.gas import SWAP_GAS
from keeper.venues.balancer_fixed import ONE
from keeper.venues.balancer_pin import DRAINED, StablePin, WeightedPin
from keeper.venues.balancer_stable_state import StableState
from keeper.venues.balancer_weighted import WeightedState
from tests.chain.balancer import (
    NOBODY,
    Balancer,
    ask_vault,
    deploy_balancer,
    in_order,
    join,
    new_launch,
    new_rate,
    new_stable,
    new_token,
    new_weighted,
    pin_balancer,
)
from tests.chain.balancer_cases import DECIMALS, VENUE, pool_at, state_of
from tests.chain.node import Node, NodeError
from tests.chain.pools import gas_of_one_more
from tests.chain.uniswap import balance

FOREVER = 1 << 40
HOUR = 3_600
"""{s} A deadline that nobody meets; how long one cached rate lives."""


@pytest.fixture(scope="module")
def balancer() -> Iterator[Balancer]:
    with run_anvil(options=["--gas-limit", "1000000000"]) as running:
        yield deploy_balancer(Node(running.url))


@pytest.fixture(scope="module")
def tokens(balancer: Balancer) -> list[Token]:
    return in_order([new_token(balancer, f"B{i}", decimals) for i, decimals in enumerate(DECIMALS)])


@pytest.fixture(scope="module")
def market(balancer: Balancer, tokens: list[Token]) -> dict[str, Address]:
    """Pools with deposits, each of which shares a token with the next: 0/1/2, 1/2/3, 3/4, 4/5, 5/6/7."""
    dice = random.Random(7)
    rates = [new_rate(balancer, ONE * 105 // 100), NOBODY, new_rate(balancer, ONE * 9 // 10)]
    third = [ONE * part // 100 for part in (20, 40, 40)]
    found = {
        "weighted old": new_weighted(balancer, "2021", tokens[:3], third, 3 * 10**15),
        "weighted new": new_weighted(balancer, "2023", tokens[1:4], third, 10**16),
        "pair": new_weighted(balancer, "2021 pair", tokens[3:5], [ONE * 4 // 5, ONE // 5], 25 * 10**14),
        "stable": new_stable(balancer, "stable 2021", tokens[4:6], 500, 10**14),
        "composable": new_stable(balancer, "composable 2023", tokens[5:8], 300, 4 * 10**14, rates, [0, 0, HOUR]),
    }
    for address in found.values():
        pool = pool_at(balancer, address)
        join(balancer, pool, [int(10 ** (token.decimals + dice.uniform(5.8, 6.2))) for token in pool.tokens])
    return found


def _along(states: Sequence[WeightedState | StableState], path: Sequence[Token], raw: int) -> TokenAmount | NoQuote:
    amount = TokenAmount(path[0], raw)
    for state, buy in zip(states, path[1:], strict=True):
        quote = state.out_for(amount, buy)
        if not isinstance(quote, TokenAmount):
            return quote
        amount = quote
    return amount


def _order(states: Sequence[WeightedState | StableState], path: Sequence[Token], raw: int, floor: int) -> OrderLeg:
    out = TokenAmount(path[-1], floor)
    pools = tuple(state.pool for state in states)
    leg = Leg(pools, TokenAmount(path[0], raw), out, Fraction(1), tuple(path[1:-1]))
    return OrderLeg(leg, out, TokenAmount.zero(path[-1]))


def test_swap__through_the_vault__fills_at_the_quote_and_one_more_reverts(
    balancer: Balancer, market: dict[str, Address]
) -> None:
    """Each pool moves under its swaps, so that every next quote is of another state."""
    node, dice = balancer.node, random.Random(12)
    for address in market.values():
        for _ in range(6):
            state = state_of(balancer, address)
            sell, buy = dice.sample(state.pool.tokens, 2)
            raw = int(state.balances[state.pool.tokens.index(sell)] * 10 ** dice.uniform(-4, -1.2))
            quote = state.out_for(TokenAmount(sell, raw), buy)
            assert isinstance(quote, TokenAmount), quote
            asked = node.call(balancer.vault, ask_vault([state.pool], [sell, buy], True, raw).data)
            assert decode(["int256[]"], asked)[0] == (raw, -quote.raw)
            wanted = state.in_for(quote, sell)
            assert isinstance(wanted, TokenAmount), wanted
            asked = node.call(balancer.vault, ask_vault([state.pool], [sell, buy], False, quote.raw).data)
            assert decode(["int256[]"], asked)[0] == (wanted.raw, -quote.raw)
            before = balance(node, buy, node.deployer)
            greedy = VENUE.encode(_order([state], [sell, buy], raw, quote.raw + 1), node.deployer, FOREVER)
            with pytest.raises(NodeError, match="BAL#507"):
                node.call(greedy.to, greedy.data)
            call = VENUE.encode(_order([state], [sell, buy], raw, quote.raw), node.deployer, FOREVER)
            node.send(call.to, call.data)
            assert balance(node, buy, node.deployer) - before == quote


@pytest.mark.parametrize(
    ("hops", "at"),
    [
        (["weighted old", "weighted new"], [0, 1, 3]),
        (["pair", "stable", "composable"], [3, 4, 5, 7]),
        (["composable", "stable", "pair", "weighted new", "weighted old"], [6, 5, 4, 3, 2, 0]),
    ],
)
def test_batch_swap__along_several_pools__fills_at_the_quote_and_one_more_reverts(
    balancer: Balancer, market: dict[str, Address], tokens: list[Token], hops: list[str], at: list[int]
) -> None:
    node, path = balancer.node, [tokens[i] for i in at]
    states = [state_of(balancer, market[hop]) for hop in hops]
    raw = 1_234 * 10 ** path[0].decimals
    quote = _along(states, path, raw)
    assert isinstance(quote, TokenAmount), quote
    asked = node.call(balancer.vault, ask_vault([state.pool for state in states], path, True, raw).data)
    assert decode(["int256[]"], asked)[0] == (raw, *[0] * (len(path) - 2), -quote.raw)
    greedy = VENUE.encode(_order(states, path, raw, quote.raw + 1), node.deployer, FOREVER)
    with pytest.raises(NodeError, match="BAL#507"):
        node.call(greedy.to, greedy.data)
    before = {token: balance(node, token, node.deployer) for token in path}
    call = VENUE.encode(_order(states, path, raw, quote.raw), node.deployer, FOREVER)
    node.send(call.to, call.data)
    gained = [balance(node, token, node.deployer) - before[token] for token in path]
    assert [each.raw for each in gained] == [-raw, *[0] * (len(path) - 2), quote.raw]


@pytest.mark.parametrize(
    ("hops", "at", "within"),
    [
        (["weighted old", "weighted new"], [0, 1, 3], 0.1),
        (["pair", "stable"], [3, 4, 5], 0.3),
        (["stable", "composable"], [4, 5, 7], 0.3),
    ],
)
def test_gas__of_one_more_pool__is_about_what_routing_counts(
    balancer: Balancer, market: dict[str, Address], tokens: list[Token], hops: list[str], at: list[int], within: float
) -> None:
    """A stable pool takes the more the more of its rates it must read: all of them count as one kind."""
    states, (first, *way) = [state_of(balancer, market[hop]) for hop in hops], [tokens[i] for i in at]
    more = gas_of_one_more(balancer.node, VENUE, states, TokenAmount.from_whole(first, 1_000), way)
    assert more == pytest.approx(SWAP_GAS[states[1].pool.kind], rel=within)


def test_swap__past_its_deadline__reverts(balancer: Balancer, market: dict[str, Address]) -> None:
    state = state_of(balancer, market["pair"])
    call = VENUE.encode(_order([state], state.pool.tokens, 10**6, 1), balancer.node.deployer, 1)
    with pytest.raises(NodeError, match="BAL#508"):
        balancer.node.call(call.to, call.data)


def test_pin__of_something_else__is_none(balancer: Balancer, market: dict[str, Address], tokens: list[Token]) -> None:
    launch = new_launch(balancer, tokens[:2], [ONE // 2, ONE // 2], 10**16)
    others = [tokens[0].address, balancer.vault, balancer.fees, launch]
    for pin, addresses in (
        (WeightedPin(), [*others, market["stable"], market["composable"]]),
        (StablePin(), [*others, market["weighted old"], market["weighted new"], market["pair"]]),
    ):
        for address in addresses:
            reads = pin.reads(address)
            assert pin.pin(address, dict(zip(reads, balancer.node.calls(reads), strict=True))) is None


def test_pin__of_a_composable_pool__leaves_its_own_token_out_and_warns(
    balancer: Balancer, market: dict[str, Address], tokens: list[Token]
) -> None:
    pool = pin_balancer(balancer, StablePin(), market["composable"])
    assert pool.tokens == tuple(tokens[5:8])
    assert pool.router == pool.router.__class__("balancer_vault", balancer.vault)
    state = state_of(balancer, market["composable"])
    own = Token(pool.chain_id, pool.address, "own", 18)
    assert isinstance(state.out_for(TokenAmount(tokens[5], 10**6), own), NoLiquidity)
    answers: dict[Read, bytes | None] = {}
    reads: tuple[Read, ...] = StablePin().reads(pool.address)
    for _ in range(3):
        answers |= zip(reads, balancer.node.calls(reads), strict=True)
        facts = StablePin().pin(pool.address, answers)
        reads = getattr(facts, "reads", ())
    assert DRAINED in getattr(facts, "warning", "")


def test_pool__that_nobody_joined__is_empty(balancer: Balancer, tokens: list[Token]) -> None:
    address = new_stable(balancer, "composable 2023", tokens[:2], 200, 10**15)
    state = state_of(balancer, address)
    assert isinstance(state.out_for(TokenAmount(tokens[0], 1_000), tokens[1]), NoLiquidity)


def test_sell__above_the_limit__is_refused_as_the_vault_refuses_it(
    balancer: Balancer, market: dict[str, Address]
) -> None:
    """`most` of a side is the last amount that the pool takes."""
    for name in ("weighted old", "weighted new", "pair"):
        state = state_of(balancer, market[name])
        sell, buy = state.pool.tokens[:2]
        side = state.side(sell, buy)
        most = getattr(side, "most", 0)
        for raw, fits in ((most, True), (most + 1, False)):
            quote = state.out_for(TokenAmount(sell, raw), buy)
            read = ask_vault([state.pool], [sell, buy], True, raw)
            assert isinstance(quote, TokenAmount if fits else LimitExceeded)
            assert (balancer.node.calls([read]) != [None]) == fits
