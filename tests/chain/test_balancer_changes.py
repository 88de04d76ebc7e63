"""What changes under a Balancer pool between two looks: rates, amplification, fee, a pause. On a node of its own, whose
time moves."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import pytest

from keeper.core.abi import calldata
from keeper.core.pools import Paused
from keeper.core.units import Token, TokenAmount
from keeper.local.anvil import run_anvil
from keeper.venues.balancer_fixed import ONE
from keeper.venues.balancer_pin import WeightedPin
from keeper.venues.balancer_stable_state import StableState
from keeper.venues.balancer_weighted import WeightedState
from tests.chain.balancer import (
    STABLE,
    WEIGHTED,
    Balancer,
    ask_pool,
    deploy_balancer,
    in_order,
    new_rate,
    new_stable,
    new_token,
    new_weighted,
    pin_balancer,
    set_rate,
)
from tests.chain.balancer_cases import DECIMALS, VENUE, agrees, state_of
from tests.chain.node import Node
from tests.chain.pools import observe

COMPOSABLE = [generation for generation in STABLE if generation.startswith("composable")][1:]
HOUR = 3_600
"""{s}"""


@pytest.fixture(scope="module")
def balancer() -> Iterator[Balancer]:
    with run_anvil(options=["--gas-limit", "1000000000"]) as running:
        yield deploy_balancer(Node(running.url))


@pytest.fixture(scope="module")
def tokens(balancer: Balancer) -> list[Token]:
    return in_order([new_token(balancer, f"B{i}", decimals) for i, decimals in enumerate(DECIMALS)])


def later(node: Node, seconds: int) -> None:
    node.rpc("evm_increaseTime", hex(seconds))
    node.rpc("evm_mine")


@pytest.mark.parametrize("generation", ["meta 2021", "phantom 2021", *COMPOSABLE])
def test_rate__once_its_cache_has_expired__is_the_one_that_the_swap_goes_by(
    balancer: Balancer, tokens: list[Token], generation: str
) -> None:
    """A swap refreshes an expired rate before it trades; a phantom pool only once it has scaled the amounts."""
    chosen = tokens[:2]
    providers = [new_rate(balancer, ONE * 11 // 10), new_rate(balancer, ONE * 12 // 10)]
    address = new_stable(balancer, generation, chosen, 200, 10**14, providers, [HOUR, 10 * HOUR])
    units = [10 ** (18 - token.decimals) for token in chosen]

    def rates() -> list[Fraction]:
        state = state_of(balancer, address)
        agrees(balancer, state)
        return [Fraction(scale, unit * ONE) for scale, unit in zip(state.scales, units, strict=True)]

    assert rates() == [Fraction(11, 10), Fraction(12, 10)]
    for provider, rate in zip(providers, (13, 14), strict=True):
        set_rate(balancer, provider, ONE * rate // 10)
    assert rates() == [Fraction(11, 10), Fraction(12, 10)]
    later(balancer.node, 2 * HOUR)
    first = Fraction(11 if generation.startswith("phantom") else 13, 10)
    assert rates() == [first, Fraction(12, 10)]


@pytest.mark.parametrize("generation", ["stable 2021", *COMPOSABLE[1:]])
def test_amplification__under_a_ramp__is_that_of_the_block(
    balancer: Balancer, tokens: list[Token], generation: str
) -> None:
    node = balancer.node
    address = new_stable(balancer, generation, tokens[2:5], 200, 10**14)
    now = int(node.rpc("eth_getBlockByNumber", "latest", False)["timestamp"], 16)
    node.send(address, calldata("startAmplificationParameterUpdate(uint256,uint256)", 400, now + 48 * HOUR))
    later(node, 24 * HOUR)
    state = state_of(balancer, address)
    assert isinstance(state, StableState)
    assert 299_000 < state.amp < 301_000
    agrees(balancer, state)


def test_fee__that_its_owner_changed__is_that_of_the_block(balancer: Balancer, tokens: list[Token]) -> None:
    address = new_weighted(balancer, "2023", tokens[:2], [ONE // 2, ONE // 2], 10**15)
    pool = pin_balancer(balancer, WeightedPin(), address)
    balancer.node.send(address, calldata("setSwapFeePercentage(uint256)", 42_500_000_000_000))
    state, _ = observe(balancer.node, VENUE, pool)
    assert isinstance(state, WeightedState)
    assert (pool.fee, state.pool.fee) == (Fraction(1, 1_000), Fraction(425, 10**7))
    agrees(balancer, state)


@pytest.mark.parametrize("generation", ["2021", "2023", "phantom 2021", *COMPOSABLE[1:]])
def test_pool__paused__gives_nothing_and_reverts(balancer: Balancer, tokens: list[Token], generation: str) -> None:
    node = balancer.node
    if generation in WEIGHTED:
        address = new_weighted(balancer, generation, tokens[:2], [ONE // 2, ONE // 2], 10**15)
    else:
        address = new_stable(balancer, generation, tokens[:2], 200, 10**15)
    agrees(balancer, state_of(balancer, address))
    old = generation.endswith("2021")
    node.send(address, calldata("setPaused(bool)", True) if old else calldata("pause()"))
    state = state_of(balancer, address)
    sell, buy = state.pool.tokens
    assert state.out_for(TokenAmount(sell, 1_000), buy) == Paused("the pool is paused")
    assert state.in_for(TokenAmount(buy, 1_000), sell) == Paused("the pool is paused")
    assert state.marginal(sell, buy) == state.side(sell, buy) == Paused("the pool is paused")
    read = ask_pool(state.pool, 0, 1, True, 10**6, (10**10, 10**10))
    assert node.calls([read], sender=balancer.vault) == [None]


def test_vault__paused__stops_every_pool(balancer: Balancer, tokens: list[Token]) -> None:
    address = new_weighted(balancer, "2023", tokens[:2], [ONE // 2, ONE // 2], 10**15)
    snapshot = balancer.node.rpc("evm_snapshot")
    balancer.node.send(balancer.vault, calldata("setPaused(bool)", True))
    state = state_of(balancer, address)
    assert state.out_for(TokenAmount(tokens[0], 1_000), tokens[1]) == Paused("the Vault is paused")
    assert balancer.node.rpc("evm_revert", snapshot)
