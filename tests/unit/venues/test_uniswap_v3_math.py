from fractions import Fraction
from math import isqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.core.ticks import MAX_SQRT_RATIO, MIN_SQRT_RATIO
from keeper.venues.uniswap_v3_math import (
    amount0_delta,
    amount1_delta,
    price_after_input,
    price_after_output,
)
from tests.unit.venues.v3_contract import compute_swap_step

PRICES = st.integers(MIN_SQRT_RATIO, MAX_SQRT_RATIO - 1)
LIQUIDITIES = st.integers(1, (1 << 128) - 1)
EVEN = 1 << 96


ETHER = 10**18
HIGH, DEEP = 417332158212080721273783715441582, 159344665391607089467575320103
MUCH = 3915081100057732413702495386755767


def sqrt(ratio: Fraction | int) -> int:
    return isqrt(int(Fraction(ratio) * (1 << 192)))


NEAR = sqrt(Fraction(101, 100))


@pytest.mark.parametrize(
    ("price", "target", "liquidity", "remaining", "fee", "exact_in", "expected"),
    [
        # The published cases of v3-core's SwapMath: (price after, in, out, fee); None where they name no price.
        (EVEN, NEAR, 2 * ETHER, ETHER, 600, True, (None, 9975124224178055, 9925619580021728, 5988667735148)),
        (EVEN, NEAR, 2 * ETHER, ETHER, 600, False, (None, 9975124224178055, 9925619580021728, 5988667735148)),
        (EVEN, sqrt(10), 2 * ETHER, ETHER, 600, True, (None, 999400000000000000, 666399946655997866, 6 * 10**14)),
        (EVEN, sqrt(100), 2 * ETHER, ETHER, 600, False, (None, 2 * ETHER, ETHER, 1200720432259356)),
        (HIGH, 1452870262520218020823638996, DEEP, 1, 1, False, (HIGH - 1, 1, 1, 1)),
        (2, 1, 1, MUCH, 1, True, (1, 39614081257132168796771975168, 0, 39614120871253040049813)),
        (2413, 79887613182836312, 1985041575832132834610021537970, 10, 1872, True, (2413, 0, 0, 10)),
    ],
)
def test_step__of_published_cases__is_the_contracts_own(
    price: int,
    target: int,
    liquidity: int,
    remaining: int,
    fee: int,
    exact_in: bool,
    expected: tuple[int | None, int, int, int],
) -> None:
    found = compute_swap_step(price, target, liquidity, remaining, fee, exact_in)
    assert found[1:] == expected[1:]
    assert expected[0] in (None, found[0])


@given(PRICES, PRICES, LIQUIDITIES)
def test_delta__rounded_up_and_down__encloses_the_exact_amount(a: int, b: int, liquidity: int) -> None:
    low, high = sorted((a, b))
    exact0 = Fraction((liquidity << 96) * (high - low), low * high)
    exact1 = Fraction(liquidity * (high - low), 1 << 96)
    # token0 rounds twice, so its upper amount may be almost two above.
    assert exact0 <= amount0_delta(a, b, liquidity, up=True) < exact0 + 2
    assert exact0 - 2 < amount0_delta(a, b, liquidity, up=False) <= exact0
    assert exact1 <= amount1_delta(a, b, liquidity, up=True) < exact1 + 1
    assert exact1 - 1 < amount1_delta(a, b, liquidity, up=False) <= exact1


@given(PRICES, PRICES, LIQUIDITIES, st.integers(1, 1 << 130), st.integers(0, 999_999), st.booleans())
def test_step__of_any_size__never_overshoots(
    price: int, target: int, liquidity: int, remaining: int, fee: int, exact_in: bool
) -> None:
    after, paid, got, taken = compute_swap_step(price, target, liquidity, remaining, fee, exact_in)
    low, high = sorted((price, target))
    assert low <= after <= high
    assert (paid + taken if exact_in else got) <= remaining
    if after != target:
        assert (paid + taken if exact_in else got) == remaining
    # The fee is never less than its share of what came in.
    assert taken * 1_000_000 >= (paid + taken) * fee


@given(PRICES, LIQUIDITIES)
def test_price__after_nothing__stays(price: int, liquidity: int) -> None:
    assert price_after_input(price, liquidity, 0, True) == price
    assert price_after_input(price, liquidity, 0, False) == price


def test_price__where_the_product_overflows__takes_the_contracts_coarser_formula() -> None:
    price, liquidity, amount = MAX_SQRT_RATIO - 1, 1 << 20, 1 << 200
    assert amount * price >= 1 << 256
    weight = liquidity << 96
    assert price_after_input(price, liquidity, amount, True) == -(-weight // (weight // price + amount))


@pytest.mark.parametrize("zero_for_one", [True, False])
def test_price__after_more_than_the_range_holds__is_refused(zero_for_one: bool) -> None:
    with pytest.raises(ArithmeticError, match="less token"):
        price_after_output(EVEN, 1000, 1000, zero_for_one)


def test_price__beyond_160_bits__is_refused() -> None:
    with pytest.raises(ArithmeticError, match="160 bits"):
        price_after_input(MAX_SQRT_RATIO - 1, 1, 1 << 65, False)
