"""Quotes of Balancer V2 pools against their own bytecode: every generation, over random weights, amplifications, rates,
balances, directions and sizes."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import pytest

from keeper.core.units import Address, Token, TokenAmount
from keeper.local.anvil import run_anvil
from keeper.venues.balancer_fixed import ONE, most_in
from keeper.venues.balancer_pin import StablePin, WeightedPin
from keeper.venues.balancer_stable_state import StableState
from keeper.venues.balancer_weighted import WeightedState
from tests.chain.balancer import (
    NOBODY,
    PAIRS,
    STABLE,
    WEIGHTED,
    Balancer,
    deploy_balancer,
    in_order,
    new_rate,
    new_stable,
    new_token,
    new_weighted,
    pin_balancer,
)
from tests.chain.balancer_cases import DECIMALS, VENUE, Case, cases, compare
from tests.chain.node import Node
from tests.chain.pools import CASES, observe

LASTING = 10_000_000
"""{s} That a cached rate stays as it is."""
SOME_WEIGHTS = ((50, 50), (80, 20), (20, 80), (1, 99), (99, 1), (20, 40, 40), (10, 40, 20, 30))
"""{%} The first ones have exponents 1, 4, 1/4, 99 and 2 in some direction."""
EACH = 7
"""Pools of a generation."""


@pytest.fixture(scope="module")
def balancer() -> Iterator[Balancer]:
    with run_anvil(options=["--gas-limit", "1000000000"]) as running:
        yield deploy_balancer(Node(running.url))


@pytest.fixture(scope="module")
def tokens(balancer: Balancer) -> list[Token]:
    return in_order([new_token(balancer, f"B{i}", decimals) for i, decimals in enumerate(DECIMALS)])


def _fee(dice: random.Random) -> int:
    """{1e18} From 0.0001 % to 10 %, the bounds included."""
    return dice.choice((10**12, 3 * 10**15, 10**17, int(10 ** dice.uniform(12, 17))))


@pytest.fixture(scope="module")
def weighted(balancer: Balancer, tokens: list[Token]) -> dict[str, list[WeightedState]]:
    """By generation: weights that are shortcuts, extreme ones, and random ones of up to 8 tokens."""
    dice = random.Random(80)
    found: dict[str, list[WeightedState]] = {}
    for generation in WEIGHTED:
        fitting = [parts for parts in SOME_WEIGHTS if len(parts) == 2 or generation not in PAIRS]
        choices = [[Fraction(part) for part in parts] for parts in fitting]
        while len(choices) < EACH + 2:
            n = 2 if generation in PAIRS else dice.randint(2, 8)
            # {0.1 %} Cut anywhere, but leave each token 1 % at least.
            cuts = sorted(dice.sample(range(1, 1_000 - 10 * n), n - 1))
            edges = [0, *cuts, 1_000 - 10 * n]
            choices.append([Fraction(b - a + 10, 10) for a, b in pairwise(edges)])
        for parts in choices:
            chosen = in_order(dice.sample(tokens, len(parts)))
            shares = [int(part * ONE / 100) for part in parts]
            address = new_weighted(balancer, generation, chosen, shares, _fee(dice))
            state, _ = observe(balancer.node, VENUE, pin_balancer(balancer, WeightedPin(), address))
            assert isinstance(state, WeightedState)
            found.setdefault(generation, []).append(state)
    return found


@pytest.fixture(scope="module")
def stable(balancer: Balancer, tokens: list[Token]) -> dict[str, list[StableState]]:
    """By generation: 2 to 5 tokens, amplification from 1 to 5,000, rates where that generation has them."""
    dice = random.Random(5000)
    found: dict[str, list[StableState]] = {}
    for generation in STABLE:
        for i in range(EACH):
            # A phantom pool counts its own token among the 5 that it may have.
            most = 2 if generation in PAIRS or i == 0 else 4 if generation == "phantom 2021" else 5
            chosen = in_order(dice.sample(tokens, dice.randint(2, most)))
            amp = (1, 5_000)[i] if i < 2 else int(10 ** dice.uniform(0, 3.69))
            rates = [] if generation.startswith("stable") else [_rate(balancer, dice) for _ in chosen]
            address = new_stable(balancer, generation, chosen, amp, _fee(dice), rates, [LASTING] * len(rates))
            state, _ = observe(balancer.node, VENUE, pin_balancer(balancer, StablePin(), address))
            assert isinstance(state, StableState)
            assert state.amp == amp * 1_000
            found.setdefault(generation, []).append(state)
    return found


def _rate(balancer: Balancer, dice: random.Random) -> Address:
    return NOBODY if dice.random() < 0.25 else new_rate(balancer, int(10 ** dice.uniform(17.5, 19)))


@pytest.mark.parametrize("generation", WEIGHTED)
def test_weighted__random_cases__are_what_the_pool_says(
    balancer: Balancer, weighted: dict[str, list[WeightedState]], generation: str
) -> None:
    count = max(CASES // 4, 250)
    kinds = compare(balancer, cases(weighted[generation], count, (0.5, 3.0, 8.0), seed=30))
    assert min(kinds["in"], kinds["out"]) > count // 5, kinds
    assert kinds["30 %"] > count // 50, kinds


@pytest.mark.parametrize("generation", STABLE)
def test_stable__random_cases__are_what_the_pool_says(
    balancer: Balancer, stable: dict[str, list[StableState]], generation: str
) -> None:
    count = max(CASES // 4, 250)
    kinds = compare(balancer, cases(stable[generation], count, (0.1, 1.0, 4.0, 9.0), seed=50))
    assert min(kinds["in"], kinds["out"]) > count // 8, kinds
    assert kinds["LimitExceeded"] + kinds["NoLiquidity"] > count // 20, kinds


@pytest.mark.parametrize("generation", WEIGHTED)
def test_weighted__where_the_logarithm_changes_its_form__is_what_the_pool_says(
    balancer: Balancer, weighted: dict[str, list[WeightedState]], generation: str
) -> None:
    """Bases of exactly 0.9 and 1.1, and one unit to either side."""
    found = []
    for state in weighted[generation]:
        held, others = (9 * 10**15, 11 * 10**15), (10**16,) * (len(state.weights) - 2)
        filled = replace(state, balances=(*held, *others))
        kept = most_in(10**15, state.fee)
        found += [Case(filled, 0, 1, True, kept + off) for off in (-1, 0, 1)]
        found += [Case(filled, 0, 1, False, 10**15 + off) for off in (-1, 0, 1)]
    kinds = compare(balancer, found)
    assert kinds["in"] + kinds["out"] == len(found), kinds


def test_power__exponents_1_2_and_4__differ_between_generations(weighted: dict[str, list[WeightedState]]) -> None:
    """The old margin is charged where the new pools multiply: the same pool gives less."""
    old = next(state for state in weighted["2021"] if state.weights == (ONE // 2, ONE // 2))
    same = replace(old, balances=(10**30, 10**30), scales=(ONE, ONE))
    sell = TokenAmount(old.pool.tokens[0], 10**24)
    gives = [replace(same, short=short).out_for(sell, old.pool.tokens[1]) for short in (False, True)]
    assert all(isinstance(each, TokenAmount) for each in gives)
    assert gives[0].raw < gives[1].raw  # type: ignore[union-attr]


CIRCLES = (216884180937135156625403, 698295849355259515240393, 10**22, 10**22, 16224855627093147385846)
"""{raw} At an amplification of 10 the last steps to this pool's invariant go round and round."""


def test_stable__the_invariant_circles__refused_as_by_the_contract_and_served_a_little_later(
    balancer: Balancer,
) -> None:
    chosen = in_order([new_token(balancer, f"C{i}") for i in range(len(CIRCLES))])
    address = new_stable(balancer, "stable 2022", chosen, 10, 10**15)
    state, _ = observe(balancer.node, VENUE, pin_balancer(balancer, StablePin(), address))
    assert isinstance(state, StableState)
    for held, kinds in ((CIRCLES, {"NoLiquidity"}), ((*CIRCLES[:4], CIRCLES[4] + 10**20), {"in", "out"})):
        filled = replace(state, balances=held)
        asked = [Case(filled, i, j, way, ONE) for i in range(5) for j in range(5) if i != j for way in (True, False)]
        assert {kind for kind, count in compare(balancer, asked).items() if count} == kinds
