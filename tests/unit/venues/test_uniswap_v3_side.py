from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.core.pools import LimitExceeded, NoLiquidity
from keeper.venues.uniswap_v3 import UniswapV3
from keeper.venues.uniswap_v3_side import Ladder
from keeper.venues.uniswap_v3_state import UniswapV3State
from tests.unit.venues.test_uniswap_v3_state import AMOUNTS, DIRECTIONS, look, states
from tests.unit.venues.v3_contract import NotReadError, swap
from tests.unit.venues.v3_pools import ONE, ZERO, Chain, v3_pool

BOTH = [(ZERO, ONE), (ONE, ZERO)]


def side_of(state: UniswapV3State, direction: tuple) -> Ladder:  # type: ignore[type-arg]
    found = state.side(*direction)
    assert isinstance(found, Ladder)
    return found


@given(states(), DIRECTIONS, st.lists(AMOUNTS | st.integers(1, 1 << 80), min_size=1, max_size=6), st.booleans())
def test_ladder__asked_in_any_order__says_what_the_contracts_loop_says(state, direction, amounts, exact_in) -> None:  # type: ignore[no-untyped-def]
    side, down = side_of(state, direction), direction[0] == ZERO
    for amount in amounts:
        found = side.out(amount) if exact_in else side.into(amount)
        try:
            assert found == swap(state, amount, down, exact_in)
        except NotReadError:
            assert isinstance(found, NoLiquidity)


@given(states(), DIRECTIONS)
def test_ladder__at_its_rungs__says_what_the_contracts_loop_says(state, direction) -> None:  # type: ignore[no-untyped-def]
    """On a rung, and one to each side of it."""
    side, down = side_of(state, direction), direction[0] == ZERO
    assert side.most == side.paid[-1]
    for paid, got in zip(side.paid, side.got, strict=True):
        for amount in (paid - 1, paid, paid + 1):
            if 0 < amount <= side.most:
                assert side.out(amount) == swap(state, amount, down, exact_in=True)
        for amount in (got - 1, got, got + 1):
            if 0 < amount <= side.got[-1]:
                assert side.into(amount) == swap(state, amount, down, exact_in=False)
    assert isinstance(side.out(side.most + 1), NoLiquidity)


@given(states(), DIRECTIONS, AMOUNTS)
def test_into__of_any_amount__is_the_least_that_brings_it(state, direction, wanted) -> None:  # type: ignore[no-untyped-def]
    side = side_of(state, direction)
    needed = side.into(wanted)
    if isinstance(needed, int):
        brings, less = side.out(needed), side.out(needed - 1) if needed > 1 else 0
        assert isinstance(brings, int)
        assert isinstance(less, int)
        assert brings >= wanted > less


@given(states(), DIRECTIONS, st.lists(st.floats(0, 1.2), min_size=2, max_size=6))
def test_slope__along_the_ladder__falls_and_bounds_what_quotes_bring(state, direction, shares) -> None:  # type: ignore[no-untyped-def]
    side = side_of(state, direction)
    points = sorted({int(share * side.most) for share in shares})
    slopes = [side.slope(float(point)) for point in points]
    assert slopes == sorted(slopes, reverse=True)
    for (one, two), (high, low) in zip(pairwise(points), pairwise(slopes), strict=True):
        if two <= side.most:
            before, after = side.out(one) if one else 0, side.out(two)
            assert isinstance(before, int)
            assert isinstance(after, int)
            rounding = len(side.paid) + 1
            slack = 1 + 1e-9
            assert low / slack * (two - one) - rounding <= after - before <= high * slack * (two - one) + rounding


@given(states(), DIRECTIONS, st.floats(1e-6, 0.999))
def test_sold_at__a_slope__is_where_it_is(state, direction, share) -> None:  # type: ignore[no-untyped-def]
    side = side_of(state, direction)
    sold = share * side.most
    assert side.sold_at(side.slope(sold)) == pytest.approx(sold, rel=1e-6, abs=side.most * 1e-9)


@pytest.mark.parametrize("direction", BOTH)
def test_side__at_its_end__gives_nothing_more(direction) -> None:  # type: ignore[no-untyped-def]
    side = side_of(look(Chain(v3_pool(), 5, ((-600, 700, 10**18),)), UniswapV3()), direction)
    assert side.curve is None
    assert side.slope(side.most * 1.001) == side.slope(side.most * 2.0) == 0.0
    assert side.sold_at(0.0) == side.sold_at(1e-300) == float(side.most)
    assert side.sold_at(2.0) == side.sold_at(side.slope(0.0) * 1.0001) == 0.0


def test_side__of_a_gap_without_liquidity__is_worth_nothing_there_and_goes_on_beyond() -> None:
    side = side_of(look(Chain(v3_pool(), 0, ((-10, 10, 10**18), (9_000, 9_010, 10**18)))), (ONE, ZERO))
    before, beyond = side.slope(side.paid[1] / 2), side.slope(side.most * 0.999)
    assert before == pytest.approx(1, rel=2e-3)
    assert beyond == pytest.approx(1.0001**-9_000, rel=2e-3)
    assert side.sold_at(0.7) == pytest.approx(side.paid[1])


@pytest.mark.parametrize("raw", [0, -1, 1 << 255])
def test_side__outside_int256__is_a_limit(raw: int) -> None:
    side = side_of(look(Chain(v3_pool(), 0, ((-100, 100, 10**18),))), (ZERO, ONE))
    assert side.out(raw) == side.into(raw) == LimitExceeded(f"amount: expected 1 to 2**255 - 1, was {raw}")


def test_side__is_made_once__for_each_direction() -> None:
    state = look(Chain(v3_pool(), 0, ((-100, 100, 10**18),)))
    assert state.side(ZERO, ONE) is state.side(ZERO, ONE)
    assert state.side(ZERO, ONE) is not state.side(ONE, ZERO)
