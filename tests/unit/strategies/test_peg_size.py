"""MATH 7 and the peg's part of MATH 2: worked values, and the same found again by brute force."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keeper.core.impact import mid_after, mid_of
from keeper.core.units import TokenAmount
from keeper.strategies.peg_size import BITES, Most, Reach, Sale, best_clip, bite, move_constant_product
from tests.builders import DAI, USDC, fake_pool, market, token, units, usd
from tests.unit.strategies.stable_pair import StablePair, invariant, stable_pair

DUSD = token("DUSD")
WIDE = 10**40
"""{raw} More than any limit."""


def sale(state: object) -> Sale:
    return Sale(state, DAI, DUSD)  # type: ignore[arg-type]


def imbalanced() -> StablePair:
    """60M of the coin that is falling, 40M of the other: A = 100."""
    return stable_pair(units(DUSD, 60_000_000), units(DAI, 40_000_000))


# --- two coins of StableSwap (MATH 7) --------------------------------------------------------------------------------


def test_stable_pair__60_40_at_a_100__has_the_worked_values() -> None:
    pool = imbalanced()
    d = invariant(pool.balances[DUSD], pool.balances[DAI], 100)
    assert float(Fraction(d, 10**18)) == pytest.approx(99_979_385.6, abs=0.1)
    price = pool.marginal(DUSD, DAI)
    assert isinstance(price, Fraction)
    assert float(price) == pytest.approx(0.995718, abs=1e-6)
    restore = Fraction(d, 2) - pool.balances[DAI]
    assert float(restore / 10**18) == pytest.approx(9_989_692.8, abs=0.1)


def test_to_price__of_the_peg__is_half_of_d_less_the_scarce_balance() -> None:
    found = sale(imbalanced()).to_price(Fraction(1), WIDE)
    assert float(Fraction(found, 10**18)) == pytest.approx(9_989_692.8, rel=2e-3)
    whole = bite(
        sale(imbalanced()), Reach(Fraction(1), Fraction(1)), 10_000, Most(WIDE, None, usd(10**12)), market(DAI, 1)
    )
    assert float(Fraction(whole, 10**18)) == pytest.approx(9_989_692.8 / BITES, rel=2e-3)


def test_to_price__ten_bps_of_a_balanced_pool__is_the_worked_value_near_d_a_plus_one_quarter() -> None:
    """The worked value: 2,513,869. The rule near the peg, dx = δ·D(A + 1)/4, says 2,525,000."""
    pool = stable_pair(units(DUSD, 50_000_000), units(DAI, 50_000_000))
    found = Fraction(sale(pool).to_price(Fraction(999, 1000), WIDE), 10**18)
    assert float(found) == pytest.approx(2_513_869, rel=1e-3)
    assert float(found) == pytest.approx(10**-3 * 100_000_000 * 101 / 4, rel=6e-3)


def test_to_price__by_brute_force__no_larger_sale_keeps_the_goal() -> None:
    """Sold step by step, with the invariant made anew each time: the price passes the goal where it says."""
    pool, goal = imbalanced(), Fraction(1_002, 1_000)
    found = sale(pool).to_price(goal, WIDE)

    def price_after(sold: int) -> Fraction:
        got = pool.out_for(TokenAmount(DAI, sold), DUSD)
        assert isinstance(got, TokenAmount)
        after = StablePair(pool.pool, {DAI: pool.balances[DAI] + sold, DUSD: pool.balances[DUSD] - got.raw}, 100)
        slope = after.marginal(DAI, DUSD)
        assert isinstance(slope, Fraction)
        return slope

    step = 5_000 * 10**18
    passed = next(sold for sold in range(step, WIDE, step) if price_after(sold) < goal)
    assert abs(found - passed) <= 2 * step


# --- constant product (MATH 2) ---------------------------------------------------------------------------------------


def test_move_constant_product__worked_by_hand() -> None:
    """Without a fee x·√(price now / price) − x: from 1 to 0.81 it is 1/0.9 − 1 of x."""
    assert move_constant_product(9 * 10**20, 9 * 10**20, Fraction(1), Fraction(81, 100)) == 10**20 - 1 + 1
    assert move_constant_product(10**20, 10**20, Fraction(997, 1000), Fraction(1)) == 0


@settings(max_examples=60, deadline=None)
@given(
    st.integers(10**12, 10**26),
    st.integers(10**12, 10**26),
    st.integers(0, 10_000),
    st.integers(1, 3_000),
)
def test_move_constant_product__is_the_greatest_sale_that_leaves_the_price(x: int, y: int, fee: int, fall: int) -> None:
    kept, price = 1 - Fraction(fee, 10**6), Fraction(y, x) * (1 - Fraction(fall, 10_000))

    def after(sold: int) -> Fraction:
        return (y - Fraction(kept * sold * y, x + kept * sold)) / (x + sold)

    found = move_constant_product(x, y, kept, price)
    assert after(found) >= price > after(found + 1)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(10**6, 10**10), st.integers(9_500, 10_500), st.sampled_from((0, 100, 500, 3_000)), st.integers(2, 300)
)
def test_to_price__of_constant_product__is_the_closed_form(depth: int, at: int, fee: int, fall: int) -> None:
    pool = fake_pool(units(DAI, depth), units(DUSD, depth * Fraction(at, 10_000)), Fraction(fee, 10**6))
    mid = mid_of(pool, DAI, DUSD)
    assert isinstance(mid, Fraction)
    goal = mid * (1 - Fraction(fall, 10_000))
    found = sale(pool).to_price(goal, WIDE)
    exact = move_constant_product(pool.reserves[DAI], pool.reserves[DUSD], 1 - pool.pool.fee, goal)
    # Its fee stays in the pair, which the quotes do not tell: at most half the fee of the way, and a thousandth.
    assert float(found) == pytest.approx(exact, rel=1e-3 + fee / 10**6)


def test_mid_after__of_nothing__is_the_mid() -> None:
    pool = fake_pool(units(DAI, 10**6), units(DUSD, 10**6), Fraction(1, 10_000))
    assert mid_after(pool, TokenAmount(DAI, 0), DUSD) == mid_of(pool, DAI, DUSD) == 1


# --- limits of a bite ------------------------------------------------------------------------------------------------


def calm() -> Sale:
    return sale(fake_pool(units(DAI, 10**8), units(DUSD, Fraction(10_030) * 10**4), Fraction(1, 10_000)))


def bitten(most: Most, step: int = 10_000) -> Fraction:
    reach = Reach(Fraction(10_005, 10_000), Fraction(1))
    return Fraction(bite(calm(), reach, step, most, market(DAI, 1)), 10**18)


def test_bite__is_the_least_of_edge_fifth_step_and_limits() -> None:
    """30 bps of $100M: 150,000 to the peg, 125,000 to the edge, so a fifth of the first is the least."""
    assert float(bitten(Most(WIDE, None, usd(10**9)))) == pytest.approx(30_000, rel=0.01)
    assert float(bitten(Most(WIDE, None, usd(10**9)), step=2)) == pytest.approx(10_000, rel=0.01)
    assert bitten(Most(5_000 * 10**18, None, usd(10**9))) == 5_000
    assert bitten(Most(WIDE, None, usd(4_000))) == 4_000
    assert float(bitten(Most(WIDE, 3_000 * 10**18, usd(10**9)))) == pytest.approx(2_991, rel=0.01)
    assert bitten(Most(0, None, usd(10**9))) == bitten(Most(WIDE, 0, usd(10**9))) == 0


def test_bite__inside_the_edge__is_nothing() -> None:
    pool = fake_pool(units(DAI, 10**8), units(DUSD, 10**8), Fraction(1, 10_000))
    reach = Reach(Fraction(10_005, 10_000), Fraction(1))
    assert bite(sale(pool), reach, 10_000, Most(WIDE, None, usd(10**9)), market(DAI, 1)) == 0


def test_best_clip__is_the_root_of_gas_times_one_side() -> None:
    clip = best_clip(calm(), 30_000 * 10**18, usd(4), market(DAI, 1))
    assert clip is not None
    assert float(clip.whole) == pytest.approx((4 * 10**8) ** 0.5, rel=0.01)
    assert best_clip(calm(), 30_000 * 10**18, usd(0), market(DAI, 1)) is None
    assert USDC.decimals == 6
