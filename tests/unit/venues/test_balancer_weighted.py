from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.core.pools import LimitExceeded, NoLiquidity, Paused, Side
from keeper.core.units import Token, TokenAmount
from keeper.venues.balancer_fixed import ONE
from keeper.venues.balancer_stable_state import StableState
from keeper.venues.balancer_state import MAX_BALANCE
from keeper.venues.balancer_weighted import WeightedState
from tests.builders import DAI
from tests.unit.venues.balancer_pools import ONE_TOKEN, ZERO, stable_pool, stable_state, weighted_state

WEIGHTS = st.integers(1, 99).map(lambda w: (w, 100 - w))
SHARES = st.floats(1e-6, 0.29)


def out(state: WeightedState, raw: int, sell: Token = ZERO, buy: Token = ONE_TOKEN) -> int:
    found = state.out_for(TokenAmount(sell, raw), buy)
    assert isinstance(found, TokenAmount), found
    return found.raw


def side_of(state: WeightedState, sell: Token = ZERO, buy: Token = ONE_TOKEN) -> Side:
    found = state.side(sell, buy)
    assert not isinstance(found, NoLiquidity | LimitExceeded | Paused)
    return found


@given(WEIGHTS, SHARES, st.booleans())
def test_out_for__any_weights__is_the_invariant_to_eight_digits(
    weights: tuple[int, int], share: float, short: bool
) -> None:
    state = weighted_state((10**7, 2 * 10**7), weights, fee=10**12, short=short)
    sold = int(state.balances[0] * share)
    # y·(1 − (x/(x + a))^(w_x/w_y)), by floats
    exact = state.balances[1] * (1 - (1 / (1 + share * (1 - 1e-6))) ** (weights[0] / weights[1]))
    assert out(state, sold) == pytest.approx(exact, rel=1e-8, abs=2)


@given(st.integers(1, 10**23))
def test_out_for__equal_weights_multiplied__is_constant_product_to_18_digits(raw: int) -> None:
    state = weighted_state((10**6, 3 * 10**6), (50, 50), fee=10**15)
    kept = raw - -(-raw * 10**15 // ONE)
    exact = Fraction(kept * state.balances[1], state.balances[0] + kept)
    assert exact - 2 - Fraction(state.balances[1] * 2, ONE) <= out(state, raw) <= exact


@given(WEIGHTS, SHARES)
def test_in_for__what_a_sale_brings__takes_about_that_sale(weights: tuple[int, int], share: float) -> None:
    state = weighted_state((10**7, 2 * 10**7), weights)
    sold = int(state.balances[0] * share)
    got = out(state, sold)
    if not 0 < got < state.balances[1] * 3 // 10:
        return
    needed = state.in_for(TokenAmount(ONE_TOKEN, got), ZERO)
    assert isinstance(needed, TokenAmount)
    # One raw unit of what is bought has 6 decimals, and is worth that much of what is sold.
    assert needed.raw <= sold + sold // 10**7 + 10**20


@given(WEIGHTS)
def test_marginal__of_a_tiny_sale__is_its_price(weights: tuple[int, int]) -> None:
    state = weighted_state((10**7, 2 * 10**7), weights)
    marginal = state.marginal(ZERO, ONE_TOKEN)
    assert isinstance(marginal, Fraction)
    sold = 10**18
    assert out(state, sold) / sold == pytest.approx(float(marginal), rel=1e-4)


@given(WEIGHTS, st.floats(1e-5, 0.28))
def test_side__slope_and_sold_at__are_the_curves_own(weights: tuple[int, int], share: float) -> None:
    state = weighted_state((10**7, 2 * 10**11), weights)
    side = side_of(state)
    at = state.balances[0] * share
    step = int(state.balances[0] * 1e-5)
    got = side.out(int(at) + step), side.out(int(at))
    assert isinstance(got[0], int)
    assert isinstance(got[1], int)
    if got[0] - got[1] > 10**6:
        assert side.slope(at + step / 2) == pytest.approx((got[0] - got[1]) / step, rel=1e-5)
    assert side.sold_at(side.slope(at)) == pytest.approx(at, rel=1e-6)


@given(WEIGHTS, st.integers(10**12, 10**17))
def test_side__most__is_the_last_quote(weights: tuple[int, int], fee: int) -> None:
    side = side_of(weighted_state((10**6, 2 * 10**6), weights, fee=fee))
    assert isinstance(side.out(side.most), int)
    assert isinstance(side.out(side.most + 1), LimitExceeded)
    assert side.slope(side.most) == 0.0
    assert side.sold_at(0.0) == side.sold_at(side.slope(side.most * 0.999999) / 2) == float(side.most)
    assert side.sold_at(side.slope(0) * 1.01) == 0.0


def test_side__near_the_vaults_limit__ends_there() -> None:
    state = weighted_state((10**6, 10**6), (50, 50))
    full = WeightedState(state.pool, (MAX_BALANCE - 5, 10**30), (ONE, ONE), state.fee, "", state.weights, True)
    assert side_of(full).most == 5
    assert "2**112" in str(full.out_for(TokenAmount(ZERO, 6), ONE_TOKEN))


@pytest.mark.parametrize(
    ("amount", "refusal"),
    [(0, "more than 0"), (-1, "more than 0"), (301_000 * 10**18, "30 %"), (1 << 112, "2**112")],
)
def test_out_for__sizes_that_the_pool_refuses__are_limits(amount: int, refusal: str) -> None:
    found = weighted_state((10**6, 10**6), (80, 20)).out_for(TokenAmount(ZERO, amount), ONE_TOKEN)
    assert isinstance(found, LimitExceeded)
    assert refusal in found.reason


def test_in_for__sizes_that_the_pool_refuses__are_named() -> None:
    state = weighted_state((10**6, 10**6), (80, 20))
    for wanted, kind, reason in (
        (0, LimitExceeded, "more than 0"),
        (300_001 * 10**6, LimitExceeded, "30 %"),
        (10**12, NoLiquidity, "holds 1000000000000 raw ONE"),
    ):
        found = state.in_for(TokenAmount(ONE_TOKEN, wanted), ZERO)
        assert isinstance(found, kind)
        assert reason in found.reason


@pytest.mark.fault("M12")
def test_pool__empty_or_paused_or_asked_for_others__says_so() -> None:
    empty = weighted_state((0, 10**6), (80, 20))
    paused = weighted_state((10**6, 10**6), (80, 20), paused="the Vault is paused")
    sell = TokenAmount(ZERO, 10**18)
    assert empty.out_for(sell, ONE_TOKEN) == NoLiquidity("the pool is empty on one side")
    assert paused.out_for(sell, ONE_TOKEN) == Paused("the Vault is paused")
    assert paused.side(ZERO, ONE_TOKEN) == paused.marginal(ZERO, ONE_TOKEN) == Paused("the Vault is paused")
    for found in (empty.out_for(sell, DAI), empty.in_for(sell, DAI), empty.side(ZERO, ZERO)):
        assert isinstance(found, NoLiquidity)


@pytest.mark.parametrize("state", [weighted_state([10**6, 3 * 10**6, 10], (50, 30, 20)), stable_state([10**6] * 3)])
def test_after__a_swap__holds_what_was_sold_and_not_what_it_brought(state: WeightedState | StableState) -> None:
    sell = TokenAmount(ONE_TOKEN, 5 * 10**9)
    brings, after = state.out_for(sell, ZERO), state.after(sell, ZERO)
    assert isinstance(brings, TokenAmount)
    assert isinstance(after, type(state))
    held = (state.balances[0] - brings.raw, state.balances[1] + sell.raw, state.balances[2])
    assert after == replace(state, balances=held)


def test_after__a_refused_swap__is_the_refusal() -> None:
    state, much = weighted_state([10**6, 3 * 10**6], (50, 50)), TokenAmount(ZERO, 10**24)
    assert state.after(much, ONE_TOKEN) == state.out_for(much, ONE_TOKEN)


def test_after__in_a_pool_that_reads_rates_only_then__is_not_told() -> None:
    state, sell = stable_state([10**6] * 3), TokenAmount(ZERO, 10**18)
    late = replace(state, pool=stable_pool((("rounding", "down"), ("rates", "as_cached"), ("rate_provider0", "0x1"))))
    assert late.out_for(sell, ONE_TOKEN) == state.out_for(sell, ONE_TOKEN)
    assert isinstance(late.after(sell, ONE_TOKEN), NoLiquidity)
