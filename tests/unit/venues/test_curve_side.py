from __future__ import annotations

from random import Random

import pytest

from keeper.core.pools import LimitExceeded, NoLiquidity
from keeper.venues.curve_math import FEE_UNIT, PRECISION
from keeper.venues.curve_side import CurveSide
from keeper.venues.curve_swap import StableSwap
from tests.unit.venues.curve_pools import CASES, random_stable, sale, stable


def check_slope(swap: StableSwap, i: int, j: int, sold: int) -> None:
    """What a little more brings lies between the slopes around it, as far as the contract's roundings let it show."""
    side, step = CurveSide.of(swap, i, j), max(1, sold // 1_000)
    # Less than nothing, where a dynamic fee takes more than the sale adds.
    brings = max(0, swap.out(i, j, sold + step) - swap.out(i, j, sold))
    slopes = [side.slope(sold + step * k / 8) for k in range(9)]
    # Units of 18 decimals, units of the coin, and the fee itself, which is cut to 10^-10 of what is paid.
    cut = 8 * PRECISION / swap.rates[j] + 2 + (2 * swap.out(i, j, sold) / FEE_UNIT if swap.offpeg else 0)
    assert min(slopes) * (1 - 1e-5) - cut / step <= brings / step <= max(slopes) * (1 + 1e-5) + cut / step


@pytest.mark.parametrize("offpeg", [0, 2 * FEE_UNIT, 5 * FEE_UNIT])
def test_slope__is_what_the_next_units_bring(offpeg: int) -> None:
    random, seen = Random(1), 0
    for _ in range(CASES):
        swap = random_stable(random, offpeg=offpeg)
        i, j, _ = sale(random, swap)
        sold = max(10, int(swap.balances[i] * 10 ** random.uniform(-3, 0.5)))
        try:
            check_slope(swap, i, j, sold)
        except ArithmeticError:
            continue
        seen += 1
    assert seen > CASES // 2


def test_slope__at_the_start__is_the_price() -> None:
    random = Random(3)
    for _ in range(CASES):
        swap = random_stable(random, offpeg=random.choice((0, 2 * FEE_UNIT)))
        i, j, _ = sale(random, swap)
        assert CurveSide.of(swap, i, j).slope(0.0) == pytest.approx(float(swap.price(i, j)), rel=1e-9)


def test_sold_at__of_a_slope__comes_back_to_it() -> None:
    random = Random(4)
    for _ in range(CASES):
        swap = random_stable(random)
        i, j, sold = sale(random, swap)
        side = CurveSide.of(swap, i, j)
        slope = side.slope(sold)
        assert side.slope(side.sold_at(slope)) == pytest.approx(slope, rel=1e-9)


def test_sold_at__of_a_slope_with_a_dynamic_fee__comes_back_to_it_where_the_slope_falls() -> None:
    """Selling the scarce coin may lower a dynamic fee, and then the slope rises first."""
    random, seen = Random(5), 0
    for _ in range(CASES):
        swap = random_stable(random, offpeg=2 * FEE_UNIT)
        i, j, sold = sale(random, swap)
        side = CurveSide.of(swap, i, j)
        slope = side.slope(sold)
        if not 0 < slope < side.slope(0.0) * 0.9999:
            continue
        assert side.slope(side.sold_at(slope)) == pytest.approx(slope, rel=1e-9)
        seen += 1
    assert seen > CASES // 4


def test_sold_at__better_than_the_first_unit__is_nothing() -> None:
    side = CurveSide.of(stable((10**24, 10**24)), 0, 1)
    assert side.sold_at(1.0) == 0.0
    assert side.sold_at(side.slope(0.0)) == 0.0
    assert 0 < side.sold_at(0.99) < side.sold_at(0.5) < side.sold_at(1e-6) < side.most


def test_sold_at__of_no_slope__is_where_a_sale_only_empties_the_pool() -> None:
    side = CurveSide.of(stable((10**24, 10**24)), 0, 1)
    assert 0 < side.slope(side.sold_at(0.0)) < 1e-14
    assert side.slope(float(side.most) * 1.01) == 0.0


def test_out__of_what_cannot_be__is_a_value() -> None:
    swap = stable((10**24, 10**24))
    side = CurveSide.of(swap, 0, 1)
    assert side.out(10**18) == swap.out(0, 1, 10**18)
    assert isinstance(side.out(side.most), int)
    assert isinstance(side.out(side.most + 1), LimitExceeded)
    assert isinstance(side.out(0), LimitExceeded)
    kept_back = stable((8521_668942851193327776, 165_376829780358522194), 1, fee=0)
    assert CurveSide.of(kept_back, 0, 1).out(1) == NoLiquidity("the pool would revert: it brings less than nothing")
    assert side.curve is None
