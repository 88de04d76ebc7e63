from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.core.pools import LimitExceeded, NoLiquidity
from keeper.core.units import Token, TokenAmount
from keeper.venues.balancer_fixed import ONE
from keeper.venues.balancer_stable_state import StableState
from tests.builders import DAI
from tests.unit.venues.balancer_pools import ONE_TOKEN, TWO, ZERO, stable_state

WHOLE = st.lists(st.integers(10**5, 5 * 10**6), min_size=2, max_size=3)
AMPS = st.integers(10, 5_000)
RATES = st.lists(st.integers(ONE * 8 // 10, 2 * ONE), min_size=3, max_size=3)


def out(state: StableState, raw: int, sell: Token = ZERO, buy: Token = ONE_TOKEN) -> int:
    found = state.out_for(TokenAmount(sell, raw), buy)
    assert isinstance(found, TokenAmount), found
    return found.raw


@given(WHOLE, AMPS, RATES)
def test_marginal__of_a_small_sale__is_its_price(whole: list[int], amp: int, rates: list[int]) -> None:
    state = stable_state(whole, amp, rates=rates)
    marginal = state.marginal(ZERO, ONE_TOKEN)
    assert isinstance(marginal, Fraction)
    sold = 10**18
    assert out(state, sold) / sold == pytest.approx(float(marginal), rel=1e-3)


def test_out_for__balanced_and_deep__loses_little_but_the_fee() -> None:
    state = stable_state([10**6, 10**6, 10**6], amp=2_000, fee=10**15)
    assert 0.9989 < out(state, 10**21) / 10**9 < 0.999


def test_out_for__with_a_rate__pays_by_it() -> None:
    state = stable_state([10**6, 12 * 10**5, 10**6], amp=2_000, fee=10**12, rates=[ONE * 12 // 10, ONE, ONE])
    assert out(state, 10**21) / 10**9 == pytest.approx(1.2, rel=1e-3)


def test_out_for__rounding_up__never_gives_more() -> None:
    down = stable_state([10**6, 2 * 10**6, 3 * 10**6])
    up = stable_state([10**6, 2 * 10**6, 3 * 10**6], rounds_up=True)
    assert all(out(up, 10**n, buy=TWO) <= out(down, 10**n, buy=TWO) for n in range(12, 24))
    assert up.d >= down.d


def test_in_for__sold_exactly__brings_it_but_for_the_last_digits() -> None:
    state = stable_state([10**6, 2 * 10**6, 3 * 10**6])
    for n in range(3, 12):
        needed = state.in_for(TokenAmount(ONE_TOKEN, 10**n), ZERO)
        assert isinstance(needed, TokenAmount)
        assert out(state, needed.raw) >= 10**n - 1


def test_out_for__less_than_it_rounds_away__is_a_limit() -> None:
    """The pool takes one unit of its own from every amount out, and cannot take it from none."""
    state = stable_state([10**6, 10**6, 10**6])
    assert isinstance(state.out_for(TokenAmount(ZERO, 1), ONE_TOKEN), LimitExceeded)


@pytest.mark.fault("M12")
def test_pool__without_one_of_its_tokens__trades_none() -> None:
    state = stable_state([10**6, 10**6, 0])
    sell = TokenAmount(ZERO, 10**18)
    for found in (state.out_for(sell, ONE_TOKEN), state.marginal(ZERO, ONE_TOKEN), state.side(ZERO, ONE_TOKEN)):
        assert isinstance(found, NoLiquidity)
    assert isinstance(state.out_for(sell, DAI), NoLiquidity)


def test_pool__whose_invariant_does_not_converge__says_so() -> None:
    """Far out of balance at an amplification of 1 the contract's own steps circle, and every swap reverts."""
    pool = stable_state([1, 1], amp=1)
    state = StableState(
        pool.pool, (1838843926276215301734068, 100), (ONE, ONE * 10**18), pool.fee, "", 1_000, rounds_up=False
    )
    assert state.marginal(ZERO, ONE_TOKEN) == NoLiquidity("the pool is too far out of balance to trade")
    assert state.out_for(TokenAmount(ZERO, 10**18), ONE_TOKEN) == NoLiquidity(
        "the pool is too far out of balance to trade"
    )
