from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.core.impact import mid_of, sale_for_impact
from keeper.core.pools import NoLiquidity
from keeper.core.units import TokenAmount
from tests.builders import USDC, WETH, fake_pool, units

POOL = fake_pool(units(WETH, 1_000), units(USDC, 3_000_000), Fraction(3, 1000))


@pytest.mark.parametrize("bps", [10, 50, 100])
def test_sale_for_impact__constant_product__is_its_closed_form(bps: int) -> None:
    """g·x/(x + g·d) = g − i, so d = x·i/(g·(g − i))."""
    found = sale_for_impact(POOL, WETH, USDC, Fraction(bps, 10_000))
    assert isinstance(found, TokenAmount)
    g, i = Fraction(997, 1000), Fraction(bps, 10_000)
    assert float(found.whole) == pytest.approx(float(1_000 * i / (g * (g - i))), rel=2e-3)


@given(st.integers(1, 400))
def test_sale_for_impact__of_any_size__is_the_last_that_keeps_to_it(bps: int) -> None:
    impact, mid = Fraction(bps, 10_000), mid_of(POOL, WETH, USDC)
    found = sale_for_impact(POOL, WETH, USDC, impact)
    assert isinstance(found, TokenAmount)
    assert isinstance(mid, Fraction)

    def lost(raw: int) -> Fraction:
        out = POOL.out_for(TokenAmount(WETH, raw), USDC)
        assert isinstance(out, TokenAmount)
        return 1 - POOL.pool.fee - Fraction(out.raw + 1) / (raw * mid)

    assert lost(found.raw) <= impact < lost(found.raw * 1_002 // 1_000)


def test_sale_for_impact__of_an_empty_pool__says_why() -> None:
    assert isinstance(
        sale_for_impact(fake_pool(units(WETH, 0), units(USDC, 0)), WETH, USDC, Fraction(1, 100)), NoLiquidity
    )
