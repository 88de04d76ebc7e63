from fractions import Fraction
from math import ceil, floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.venues.balancer_fixed import (
    MAX_UINT256,
    ONE,
    checked,
    div_down,
    div_up,
    less_fee,
    minus,
    most_in,
    mul_down,
    mul_up,
    plus_fee,
)

FIGURES = st.integers(0, 1 << 112)
FEES = st.integers(10**12, 10**17)


@given(FIGURES, FIGURES)
def test_product__either_way__is_rounded_so(a: int, b: int) -> None:
    exact = Fraction(a * b, ONE)
    assert (mul_down(a, b), mul_up(a, b)) == (floor(exact), ceil(exact))


@given(FIGURES, st.integers(1, 1 << 112))
def test_quotient__either_way__is_rounded_so(a: int, b: int) -> None:
    exact = Fraction(a * ONE, b)
    assert (div_down(a, b), div_up(a, b)) == (floor(exact), ceil(exact))


@given(FIGURES, FEES)
def test_fee__on_the_amount_in__is_rounded_up(amount: int, fee: int) -> None:
    assert less_fee(amount, fee) == amount - ceil(Fraction(amount * fee, ONE))


@given(FIGURES, FEES)
def test_plus_fee__then_less_fee__leaves_the_amount(amount: int, fee: int) -> None:
    assert 0 <= less_fee(plus_fee(amount, fee), fee) - amount <= 1


@given(FIGURES, FEES)
def test_most_in__and_one_more__are_the_last_that_fits_and_the_first_that_does_not(kept: int, fee: int) -> None:
    most = most_in(kept, fee)
    assert less_fee(most, fee) <= kept < less_fee(most + 1, fee)


def test_checked__beyond_a_word__is_an_arithmetic_error() -> None:
    assert checked(MAX_UINT256) == MAX_UINT256
    with pytest.raises(ArithmeticError, match="overflows 256 bits"):
        checked(MAX_UINT256 + 1)
    with pytest.raises(ArithmeticError, match="overflows 256 bits"):
        mul_up(1 << 130, 1 << 130)


def test_minus__of_more__is_an_arithmetic_error() -> None:
    assert minus(5, 5) == 0
    with pytest.raises(ArithmeticError, match="below 0"):
        minus(5, 6)
