"""Quotes of Balancer V2 pools: from their state in memory, by asking the Vault, and by their arithmetic alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from web3 import Web3

from bench.frame import Contestant, Pace, Row, measure
from keeper.core.pools import NoQuote
from keeper.core.units import Address, Token, TokenAmount
from keeper.venues.balancer import Balancer as BalancerVenue
from keeper.venues.balancer_fixed import ONE
from keeper.venues.balancer_log_exp import power
from keeper.venues.balancer_pin import StablePin, WeightedPin
from keeper.venues.balancer_stable_side import StableSide
from keeper.venues.balancer_stable_state import StableState
from keeper.venues.balancer_weighted import WeightedSide, WeightedState
from tests.chain.balancer import (
    Balancer,
    ask_vault,
    deploy_balancer,
    in_order,
    join,
    new_stable,
    new_token,
    new_weighted,
    pin_balancer,
)
from tests.chain.node import Node
from tests.chain.pools import observe

WHOLE = 1_000_000
"""{tokens} Of each in a pool; a thousandth of it is sold."""
FEE = 10**15
WEIGHTS = {"50/50, multiplied": ("2023", 50), "80/20, by logarithm": ("2021", 80)}
AMP = 200


def balancer_rows(node: Node, w3: Web3, pace: Pace) -> list[Row]:
    balancer = deploy_balancer(node)
    tokens = in_order([new_token(balancer, "WETH"), new_token(balancer, "USDC", 6)])
    found: list[Row] = []
    for name, (generation, percent) in WEIGHTS.items():
        shares = [percent * ONE // 100, (100 - percent) * ONE // 100]
        state = _state(balancer, new_weighted(balancer, generation, tokens, shares, FEE))
        assert isinstance(state, WeightedState)
        bare = _bare_product(state) if percent == 50 else _bare_power(state)
        found += measure(f"Balancer weighted, {name}", _contestants(balancer, w3, state, bare), pace)
    state = _state(balancer, new_stable(balancer, "composable 2023", tokens, AMP, FEE))
    assert isinstance(state, StableState)
    return found + measure("Balancer stable", _contestants(balancer, w3, state, _bare_stable(state)), pace)


def _state(balancer: Balancer, address: Address) -> WeightedState | StableState:
    is_stable = balancer.node.calls([StablePin().reads(address)[5]]) != [None]
    pool = pin_balancer(balancer, StablePin() if is_stable else WeightedPin(), address)
    join(balancer, pool, [WHOLE * 10**token.decimals for token in pool.tokens])
    state, _ = observe(balancer.node, BalancerVenue(), pool)
    assert isinstance(state, WeightedState | StableState), state
    return state


def _sale(state: WeightedState | StableState) -> TokenAmount:
    return TokenAmount(state.pool.tokens[0], state.balances[0] // 1_000)


def _contestants(
    balancer: Balancer, w3: Web3, state: WeightedState | StableState, bare: Callable[[], int]
) -> list[Contestant]:
    sell, buy = _sale(state), state.pool.tokens[1]
    ask, side = _ask(balancer, w3, state, sell, buy), state.side(sell.token, buy)
    assert isinstance(side, WeightedSide | StableSide), side
    _agree(state.out_for(sell, buy), ask(), bare())
    return [
        Contestant("ours", f"{type(state).__name__}.out_for", lambda: state.out_for(sell, buy)),
        Contestant("ours", f"{type(side).__name__}.out", lambda: side.out(sell.raw)),
        Contestant("peer", "queryBatchSwap, web3", ask, "1 request"),
        Contestant("floor", "its arithmetic alone", bare),
    ]


def _ask(
    balancer: Balancer, w3: Web3, state: WeightedState | StableState, sell: TokenAmount, buy: Token
) -> Callable[[], int]:
    read = ask_vault([state.pool], [sell.token, buy], True, sell.raw)
    call: Any = {"to": Web3.to_checksum_address(balancer.vault), "data": "0x" + read.data.hex()}
    # (offset, length, delta of what is sold, delta of what is bought): the last, negative, is what the Vault gives.
    return lambda: -int.from_bytes(w3.eth.call(call)[-32:], "big", signed=True)


def _agree(ours: TokenAmount | NoQuote, peer: int, bare: int) -> None:
    assert isinstance(ours, TokenAmount), ours
    assert ours.raw == peer == bare, f"the contestants disagree: {ours.raw}, {peer}, {bare}"


# --- floors: figures known, nothing checked --------------------------------------------------------------------------


def _bare_product(state: WeightedState) -> Callable[[], int]:
    (x, y), (up, down), amount = state.scaled, state.scales, _sale(state).raw

    def bare() -> int:
        paid = (amount + -amount * FEE // ONE) * up // ONE
        return y * (ONE + -x * ONE // (x + paid)) // ONE * ONE // down

    return bare


def _bare_power(state: WeightedState) -> Callable[[], int]:
    (x, y), (up, down), amount = state.scaled, state.scales, _sale(state).raw
    exponent = state.weights[0] * ONE // state.weights[1]

    def bare() -> int:
        paid = (amount + -amount * FEE // ONE) * up // ONE
        raised = power(-(-x * ONE // (x + paid)), exponent)
        return y * (ONE - raised + -raised * 10_000 // ONE - 1) // ONE * ONE // down

    return bare


def _bare_stable(state: StableState) -> Callable[[], int]:
    (x, y), (up, down), amount, d = state.scaled, state.scales, _sale(state).raw, state.d
    ann = state.amp * 2

    def bare() -> int:
        after = x + (amount + -amount * FEE // ONE) * up // ONE
        c = -(-d * d // (ann * (2 * after * y * 2 // d))) * 1_000 * y
        slack = after + d // ann * 1_000 - d
        left = -(-(d * d + c) // (slack + 2 * d))
        while True:
            before = left
            left = -(-(left * left + c) // (2 * left + slack))
            if -1 <= left - before <= 1:
                return (y - left - 1) * ONE // down

    return bare
