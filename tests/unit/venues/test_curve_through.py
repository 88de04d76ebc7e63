from __future__ import annotations

from math import exp

import pytest

from keeper.core.pools import LimitExceeded, NoLiquidity
from keeper.venues.curve_math import Product
from keeper.venues.curve_side import CurveSide
from keeper.venues.curve_swap import StableSwap
from keeper.venues.curve_through import Below, ThroughSide, falling_to
from tests.unit.venues.curve_pools import DAI, FEE, GUSD, USDC, USDT, stable, whole

BASE = stable((whole(DAI, 60 * 10**6), whole(USDC, 50 * 10**6), whole(USDT, 90 * 10**6)), 2_000, decimals=(18, 6, 6))
BELOW = Below(BASE, BASE.d * 98 // 100)
META = StableSwap.of(
    (whole(GUSD, 10**6), 2 * 10**24), (10**34, 102 * 10**16), 1_000 * 100, 100, Product.EACH, FEE
)  # an A of 1,000
OUT = [ThroughSide(CurveSide.of(META, 0, 1), BELOW, k, is_out=True) for k in range(3)]
IN = [ThroughSide(CurveSide.of(META, 1, 0), BELOW, k, is_out=False) for k in range(3)]
UNITS = {id(side): 10**2 for side in OUT} | {id(side): 10**d for side, d in zip(IN, (18, 6, 6), strict=True)}


@pytest.mark.parametrize("side", OUT + IN)
@pytest.mark.parametrize("coins", [10_000, 300_000, 900_000])
def test_slope__is_the_derivative_of_what_both_pools_pay(side: ThroughSide, coins: int) -> None:
    sold = coins * UNITS[id(side)]
    step = sold // 100
    before, after = side.out(sold - step), side.out(sold + step)
    assert isinstance(before, int)
    assert isinstance(after, int)
    assert side.slope(float(sold)) == pytest.approx((after - before) / (2 * step), rel=1e-3)


@pytest.mark.parametrize("side", OUT + IN)
@pytest.mark.parametrize("coins", [1_000, 300_000, 2_500_000])
def test_sold_at__of_a_slope__comes_back_to_it(side: ThroughSide, coins: int) -> None:
    slope = side.slope(float(coins * UNITS[id(side)]))
    assert side.slope(side.sold_at(slope)) == pytest.approx(slope, rel=1e-7)
    assert side.sold_at(side.slope(0.0) * 1.001) == 0.0


def test_out__is_a_swap_and_then_a_withdrawal__or_a_deposit_and_then_a_swap() -> None:
    sold = whole(GUSD, 500)
    assert OUT[1].out(sold) == BASE.burn(1, META.out(0, 1, sold), BELOW.supply)
    assert IN[2].out(10**9) == META.out(1, 0, BASE.mint((0, 0, 10**9), BELOW.supply))


def test_out__of_what_cannot_be__is_a_value() -> None:
    for side in OUT + IN:
        assert isinstance(side.out(0), LimitExceeded)
        assert isinstance(side.out(side.most + 1), LimitExceeded)
        assert side.slope(float(side.most) * 1.01) == 0.0
    nobody = ThroughSide(OUT[0].own, Below(BASE, 0), 0, is_out=True)
    assert isinstance(nobody.out(100), NoLiquidity)
    assert nobody.slope(100.0) == 0.0


@pytest.mark.parametrize("wanted", [0.9, 0.5, 1e-3, 1e-9])
def test_falling_to__of_a_known_slope__finds_the_place(wanted: float) -> None:
    assert falling_to(lambda at: 1 / (1 + at) ** 2, wanted, 1e-3, 1e12) == pytest.approx(wanted**-0.5 - 1, rel=1e-9)


def test_falling_to__at_the_ends__stays_there() -> None:
    assert falling_to(lambda at: exp(-at), 1.0, 1.0, 100.0) == 0.0
    assert falling_to(lambda at: 2.0 + at * 0, 1.0, 1.0, 100.0) == 100.0
    assert falling_to(lambda at: exp(-at) if at < 5 else 0.0, 0.0, 1.0, 100.0) == pytest.approx(5.0, rel=1e-6)
