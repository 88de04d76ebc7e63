from decimal import Context, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.venues.balancer_fixed import ONE, mul_up
from keeper.venues.balancer_log_exp import pow_up, pow_up_short, power

BASES = st.integers(7 * ONE // 10, ONE) | st.integers(ONE, 10 * ONE // 7)
"""As swaps have them: 30 % of a balance away from 1, to either side."""
EXPONENTS = st.integers(ONE // 99, 99 * ONE)
EXACT = Context(prec=40)


def true_power(x: int, y: int) -> Decimal:
    return EXACT.multiply(EXACT.power(Decimal(x) / ONE, Decimal(y) / ONE), Decimal(ONE))


@given(BASES, EXPONENTS)
def test_power__within_a_swaps_range__is_true_to_14_digits(x: int, y: int) -> None:
    exact = true_power(x, y)
    assert abs(power(x, y) - exact) <= exact / 10**14 + 1


@given(BASES, EXPONENTS)
def test_pow_up__within_a_swaps_range__is_never_below_the_true_power(x: int, y: int) -> None:
    exact = true_power(x, y)
    assert exact <= pow_up(x, y) <= exact + exact * 3 / 10**14 + 3


@given(BASES)
def test_pow_up_short__exponents_1_2_and_4__multiplies(x: int) -> None:
    square = mul_up(x, x)
    assert [pow_up_short(x, n * ONE) for n in (1, 2, 4)] == [x, square, mul_up(square, square)]
    assert pow_up_short(x, 3 * ONE) == pow_up(x, 3 * ONE)
    assert pow_up_short(x, ONE + 1) == pow_up(x, ONE + 1)


@given(BASES)
def test_pow_up__exponent_1__charges_its_margin_all_the_same(x: int) -> None:
    assert x < pow_up(x, ONE) <= x + x * 2 // 10**14 + 3


@pytest.mark.parametrize(
    ("x", "y", "found"),
    [
        (5 * ONE, 0, ONE),
        (0, ONE, 0),
        (ONE, 7 * ONE, ONE),
        (0, 0, ONE),
    ],
)
def test_power__at_its_edges__is_exact(x: int, y: int, found: int) -> None:
    assert power(x, y) == found


@given(st.integers(2, 10**40))
def test_power__exponent_1_of_any_base__comes_back_to_it(x: int) -> None:
    found = power(x, ONE)
    # Below 1 the reciprocal is cut to 18 digits, of which few are left where x is small.
    assert abs(found - x) <= x // 10**13 + 2


@pytest.mark.parametrize(
    ("x", "y", "why"),
    [
        (1 << 255, ONE, "domain"),
        (ONE, 1 << 200, "domain"),
        (10**30, 50 * ONE, "range"),
        (ONE // 10**6, 4 * ONE, "range"),
        (1, ONE, "range"),
    ],
)
def test_power__where_the_contract_reverts__is_an_arithmetic_error(x: int, y: int, why: str) -> None:
    with pytest.raises(ArithmeticError, match=why):
        power(x, y)
