from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.core.units import Token
from keeper.venues.balancer_fixed import ONE
from keeper.venues.balancer_stable_side import StableSide
from keeper.venues.balancer_stable_state import StableState
from tests.unit.venues.balancer_pools import ONE_TOKEN, ZERO, stable_state

WHOLE = st.lists(st.integers(10**5, 5 * 10**6), min_size=2, max_size=3)
AMPS = st.integers(10, 5_000)
RATES = st.lists(st.integers(ONE * 8 // 10, 2 * ONE), min_size=3, max_size=3)


def side_of(state: StableState, sell: Token = ZERO, buy: Token = ONE_TOKEN) -> StableSide:
    found = state.side(sell, buy)
    assert isinstance(found, StableSide)
    return found


@given(WHOLE, AMPS, RATES)
def test_slope__before_any_sale__is_the_pools_price(whole: list[int], amp: int, rates: list[int]) -> None:
    state = stable_state(whole, amp, rates=rates)
    marginal = state.marginal(ZERO, ONE_TOKEN)
    assert isinstance(marginal, Fraction)
    assert side_of(state).slope(0) == pytest.approx(float(marginal), rel=1e-9)


@given(WHOLE, AMPS, RATES, st.floats(1e-2, 3.0), st.booleans())
def test_side__slope_and_sold_at__are_the_curves_own(
    whole: list[int], amp: int, rates: list[int], share: float, back: bool
) -> None:
    state = stable_state(whole, amp, rates=rates)
    sell, buy = (ONE_TOKEN, ZERO) if back else (ZERO, ONE_TOKEN)
    side = side_of(state, sell, buy)
    at = state.balances[state.pool.tokens.index(sell)] * share
    step = int(at * 1e-3) + 1
    before, after = side.out(int(at)), side.out(int(at) + step)
    assert isinstance(before, int)
    assert isinstance(after, int)
    if after - before > 10**5:
        assert side.slope(at + step / 2) == pytest.approx((after - before) / step, rel=1e-4)
    # Near the middle of a flat curve the price hardly tells how much was sold.
    assert side.slope(side.sold_at(side.slope(at))) == pytest.approx(side.slope(at), rel=1e-9)


def test_side__at_its_ends__stays_inside() -> None:
    side = side_of(stable_state([10**6, 10**6, 10**6]))
    assert side.sold_at(side.slope(0) * 1.001) == 0.0
    assert side.sold_at(0.0) == float(side.most)
    assert side.slope(side.most) == 0.0
    assert side.curve is None


@pytest.mark.parametrize("whole", [[10**6, 2 * 10**3, 10**3], [10**3, 10**6, 10**6], [10**3, 10**3, 10**7]])
@pytest.mark.parametrize("amp", [10, 200, 5_000])
@pytest.mark.parametrize("share", [1e-4, 1e-2, 1.0, 100.0, 10_000.0])
def test_sold_at__far_out_of_balance__comes_to_the_slope(whole: list[int], amp: int, share: float) -> None:
    side = side_of(stable_state(whole, amp))
    wanted = side.slope(whole[0] * 10**18 * share)
    assert side.slope(side.sold_at(wanted)) == pytest.approx(wanted, rel=1e-9)
