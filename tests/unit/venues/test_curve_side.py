from __future__ import annotations

from random import Random

import pytest

from keeper.core.chain import LimitExceeded, NoLiquidity
from keeper.venues.curve_math import FEE_UNIT, Product
from keeper.venues.curve_side import CurveSide
from keeper.venues.curve_swap import StableSwap
from tests.unit.venues.curve_pools import CASES, random_stable, sale, stable


def measured(swap: StableSwap, i: int, j: int, sold: int, step: int) -> float:
    """The slope at `sold`, from what the contract pays a little before and a little after."""
    return (swap.out(i, j, sold + step) - swap.out(i, j, sold - step)) / (2 * step)


def test_slope__of_one_fee__is_the_derivative_of_what_the_contract_pays() -> None:
    random, seen = Random(1), 0
    for _ in range(CASES):
        swap = random_stable(random)
        i, j, _ = sale(random, swap)
        sold = max(10, int(swap.balances[i] * 10 ** random.uniform(-3, 0.5)))
        step = max(1, sold // 10_000)
        try:
            found = measured(swap, i, j, sold, step)
        except ArithmeticError:
            continue
        # Both outputs are cut to whole units, and a step is no differential.
        assert CurveSide.of(swap, i, j).slope(sold) == pytest.approx(found, rel=1e-5, abs=2 / step)
        seen += 1
    assert seen > CASES // 2


def test_slope__of_a_dynamic_fee__is_that_derivative_too() -> None:
    random, seen = Random(2), 0
    for _ in range(CASES):
        swap = random_stable(random, offpeg=random.choice((2, 5)) * FEE_UNIT, spread=0.5)
        i, j, _ = sale(random, swap)
        sold = max(10, int(swap.balances[i] * 10 ** random.uniform(-3, -0.3)))
        step = sold // 100
        found = measured(swap, i, j, sold, step)
        # The fee itself is cut to 10^-10 of what is paid, at both ends.
        cut = 2 * swap.out(i, j, sold) / FEE_UNIT / step
        assert CurveSide.of(swap, i, j).slope(sold) == pytest.approx(found, rel=1e-3, abs=cut + 2 / step)
        seen += 1
    assert seen == CASES


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
    rounded_up = stable(
        (2467_819363006712643585, 783_893942660000000000, 458_114030441183576065), 1, product=Product.EACH_PLUS, fee=0
    )
    assert CurveSide.of(rounded_up, 0, 1).out(1) == NoLiquidity("the pool would revert: it brings less than nothing")
    assert side.curve is None
