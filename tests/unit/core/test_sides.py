from fractions import Fraction

import pytest

from keeper.core.sides import Searched
from keeper.core.units import TokenAmount
from tests.builders import DAI, USDC, WETH, FakePool, fake_pool, units

POOLS = {
    "18 to 6 decimals": (units(WETH, 1_000), units(USDC, 3_120_000)),
    "6 to 18 decimals": (units(USDC, 3_120_000), units(WETH, 1_000)),
    "18 to 18 decimals": (units(DAI, 3_120_000), units(WETH, 1_000)),
}


@pytest.fixture(params=POOLS.values(), ids=POOLS.keys())
def pair(request: pytest.FixtureRequest) -> tuple[FakePool, TokenAmount, TokenAmount]:
    one, other = request.param
    return fake_pool(one, other, Fraction(3, 1_000)), one, other


@pytest.mark.parametrize("part", [Fraction(0), Fraction(1, 1_000), Fraction(1, 10), Fraction(1), Fraction(5)])
def test_searched__beside_the_closed_form__has_its_slope_and_its_sale(
    pair: tuple[FakePool, TokenAmount, TokenAmount], part: Fraction
) -> None:
    pool, one, other = pair
    searched, exact = Searched(pool, one.token, other.token), pool.side(one.token, other.token)
    assert not hasattr(exact, "reason")
    sold = float(one.raw * part)
    slope = exact.slope(sold)
    assert searched.slope(sold) == pytest.approx(slope, rel=2e-5)
    assert searched.sold_at(slope) == pytest.approx(sold, rel=1e-2, abs=float(one.raw) * 1e-5)


def test_searched__where_nothing_more_can_be_sold__has_no_slope() -> None:
    pool = fake_pool(units(WETH, 1_000), units(USDC, 3_120_000))
    searched = Searched(pool, WETH, USDC, most=10**18)
    assert searched.slope(1e18) == 0
    assert searched.slope(0) > 0
    assert searched.sold_at(searched.slope(0) / 1e6) <= 1e18
    assert searched.sold_at(searched.slope(0) * 2) == 0
    assert searched.sold_at(0.0) == 1e18
