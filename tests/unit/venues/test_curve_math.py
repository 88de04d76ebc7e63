"""The integers beside the exact roots of the invariant, found by halving on whole numbers, 2^40 to a unit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.venues.curve_math import FEE_UNIT, PRECISION, Product, dynamic_fee, get_d, get_y, get_y_d
from tests.unit.venues.curve_pools import CASES, random_stable, sale

BITS = 40
UNIT = 1 << BITS


def root(sign: Callable[[int], int], high: int) -> int:
    """Where `sign` ceases to be positive."""
    low = 0
    while sign(high) > 0:
        high *= 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if sign(middle) > 0 else (low, middle)
    return low


def exact_d(xp: Sequence[int], ann: int, scale: int) -> int:
    """D of `ann·Σx + scale·D = ann·D + scale·D^(n+1)/(n^n·Πx)`, in 2^-40."""
    n, total, product = len(xp), sum(xp) << BITS, prod(x << BITS for x in xp) * len(xp) ** len(xp)
    return root(lambda d: (ann * (total - d) + scale * d) * product - scale * d ** (n + 1), total)


def exact_y(others: Sequence[int], ann: int, scale: int, d: int) -> int:
    """The missing balance for `d`, both in 2^-40."""
    n = len(others) + 1
    total, product = sum(others) << BITS, prod(x << BITS for x in others) * n**n
    return root(lambda y: scale * d ** (n + 1) - (ann * (total + y - d) + scale * d) * product * y, d)


def test_d_and_y__of_random_pools__lie_within_the_documented_rounding_of_the_exact_roots() -> None:
    """2 to 8 coins, A from 1 to 10^5, balances up to thirty-fold apart. Newton stops at a step of 1, every quotient is
    cut: D may be 1 below and as many units above as balances are cut; y with it."""
    random = Random(8)
    for _ in range(CASES):
        swap = random_stable(random)
        assert -1 <= (swap.d * UNIT - exact_d(swap.xp, swap.ann, swap.scale)) / UNIT < 8
        i, j, sold = sale(random, swap)
        x = swap.xp[i] + sold * swap.rates[i] // PRECISION
        y = get_y(swap.xp, i, j, x, swap.ann, swap.scale, swap.d)
        others = [x if k == i else held for k, held in enumerate(swap.xp) if k != j]
        assert -8 < (y * UNIT - exact_y(others, swap.ann, swap.scale, swap.d << BITS)) / UNIT <= 1
        left = [held for k, held in enumerate(swap.xp) if k != j]
        less = swap.d * random.randint(50, 99) // 100
        y = get_y_d(swap.xp, j, swap.ann, swap.scale, less)
        assert -8 < (y * UNIT - exact_y(left, swap.ann, swap.scale, less << BITS)) / UNIT <= 1


def test_d__of_three_generations__differs_by_their_roundings_alone() -> None:
    random, seen = Random(3), set()
    for _ in range(CASES):
        swap = random_stable(random)
        found = [get_d(swap.xp, swap.ann // swap.scale, 1, product) for product in Product]
        assert max(found) - min(found) <= 8
        seen.add(len(set(found)))
    assert seen > {1}, "they are three forms of one formula, and not one form"


def test_d__at_sixty_to_forty__is_as_published() -> None:
    """MATH 7: A of 100, 60 and 40 million: D = 99,979,385.6; a hundredth of the balances in raw units as a check."""
    d = get_d((60 * 10**24, 40 * 10**24), 100 * 2 * 100, 100, Product.WHOLE)
    assert d // 10**17 == 999_793_856
    assert get_d((60 * 10**24, 40 * 10**24), 100 * 2, 1, Product.EACH) == pytest.approx(d, abs=2)


@pytest.mark.parametrize("n", range(2, 9))
@pytest.mark.parametrize("product", [Product.EACH, Product.WHOLE])
def test_d__of_equal_balances__is_their_sum(n: int, product: Product) -> None:
    assert get_d([10**24] * n, 200 * n * 100, 100, product) == n * 10**24


def test_d__of_nothing__is_nothing() -> None:
    assert get_d((0, 0), 200, 1, Product.EACH) == 0


@pytest.mark.parametrize("product", [Product.EACH, Product.WHOLE])
def test_d__of_one_empty_side__is_an_error(product: Product) -> None:
    with pytest.raises(ArithmeticError):
        get_d((10**24, 0), 200, 1, product)


def test_d__that_goes_to_and_fro__is_taken_by_the_first_pools_alone() -> None:
    """Here Newton's steps come to 2 and back, for ever: later contracts revert."""
    xp, ann = (95_074_999686 * 10**12, 168_253613 * 10**12), 2
    d = get_d(xp, ann, 1, Product.EACH)
    assert abs(d * UNIT - exact_d(xp, ann, 1)) < 4 * UNIT
    with pytest.raises(ArithmeticError, match="does not converge"):
        get_d(xp, ann * 100, 100, Product.EACH)


def test_d__beyond_256_bits__is_an_error() -> None:
    with pytest.raises(ArithmeticError, match="256 bits"):
        get_d([10**33, *[10**18] * 7], 8 * 200 * 100, 100, Product.WHOLE)


@pytest.mark.parametrize(("x", "d"), [(1, 10**36), (10**20, 1 << 128)])
def test_y__beyond_256_bits__is_an_error(x: int, d: int) -> None:
    with pytest.raises(ArithmeticError, match="256 bits"):
        get_y((10**24, 10**24, 10**24), 0, 1, x, 600, 1, d)


@given(st.integers(1, 10**30), st.integers(1, 10**30), st.integers(0, 10**8), st.integers(FEE_UNIT + 1, 50 * FEE_UNIT))
def test_dynamic_fee__of_any_two_balances__lies_between_the_fee_and_its_multiple(
    a: int, b: int, fee: int, offpeg: int
) -> None:
    found = dynamic_fee(a, b, fee, offpeg)
    assert fee - 1 <= found <= fee * offpeg // FEE_UNIT
    assert dynamic_fee(a, a, fee, offpeg) in (fee, fee - 1)
    assert found == dynamic_fee(b, a, fee, offpeg)


@pytest.mark.parametrize("offpeg", [0, FEE_UNIT])
def test_dynamic_fee__without_a_multiplier__is_the_fee(offpeg: int) -> None:
    assert dynamic_fee(1, 10**30, 4_000_000, offpeg) == 4_000_000
