"""How deep a pool is for one size."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.core.depth import depth_for, input_reserve
from keeper.core.pools import NoLiquidity
from keeper.core.units import TokenAmount
from tests.builders import USDC, WETH, fake_pool, units


@given(st.integers(10**9, 10**24), st.integers(1, 10**6), st.integers(0, 30_000))
def test_input_reserve__of_a_constant_product_pool__is_its_reserve(reserve: int, ppm: int, fee_ppm: int) -> None:
    fee, sell = Fraction(fee_ppm, 10**6), max(1, reserve * ppm // 10**6)
    # {buy raw} = g·sell·y/(x + g·sell), with so many digits that rounding does not matter
    other = reserve * 10**30
    quote = int((1 - fee) * sell * other / (reserve + (1 - fee) * sell))
    found = input_reserve(sell, quote, Fraction(other, reserve) * (1 - fee), fee)
    assert found is not None
    assert float(found) == pytest.approx(reserve, rel=1e-6)


def test_input_reserve__where_rounding_could_be_all_the_impact__is_unknown() -> None:
    assert input_reserve(1_000, 999, Fraction(1), Fraction(0)) is None
    assert input_reserve(1_000, 998, Fraction(1), Fraction(0)) == 1_000 * Fraction(999, 1000) / Fraction(1, 1000)


def test_depth_for__of_a_pool__is_one_side_of_it_whatever_is_sold() -> None:
    state = fake_pool(units(WETH, 1_000), units(USDC, 3_120_000))
    for sold in ("0.5", "20", "400"):
        found = depth_for(state, units(WETH, sold), USDC)
        assert isinstance(found, TokenAmount)
        assert float(found.whole) == pytest.approx(1_000, rel=1e-4)


def test_depth_for__of_an_empty_pool__says_why_not() -> None:
    assert depth_for(fake_pool(units(WETH, 0), units(USDC, 1)), units(WETH, 1), USDC) == NoLiquidity(
        "the pool is empty"
    )
