"""MATH 1: worked values, and the best band found again by trying every other one."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.strategies.expected import expect
from keeper.strategies.no_trade_region import (
    Costs,
    Region,
    best_region,
    spread_of_pair,
    spread_of_weight,
    without_estimates,
)

F = Fraction


def best(aversion: str, weight: str, fixed: str, proportional: str, impact: str) -> Region:
    costs = Costs(F(fixed), F(proportional), F(impact))
    return best_region(spread_of_weight(F(weight)), costs, F(aversion))


def total(region: Region, spread: Fraction, costs: Costs, aversion: Fraction) -> Fraction:
    """Loss and cost of a year at a volatility of 1, which cancels."""
    year = expect(region, spread, F(1), costs)
    return year.loss(aversion) + year.cost


@pytest.mark.parametrize(
    ("given_", "trigger", "destination", "tolerance"),
    [
        (("3", ".5", "0", ".003", "0"), ".0454280148", ".0454280148", F(1, 10**10)),
        (("2", ".6", ".0002", ".003", "0"), ".10288", ".02043", F(5, 10**6)),
        (("4", ".3", ".0001", ".003", ".5"), ".07267", ".05872", F(5, 10**6)),
    ],
)
def test_best_region__worked_values__are_met(
    given_: tuple[str, str, str, str, str], trigger: str, destination: str, tolerance: Fraction
) -> None:
    region = best(*given_)
    assert abs(region.trigger - F(trigger)) <= tolerance
    assert abs(region.destination - F(destination)) <= tolerance


def test_best_region__only_proportional_cost__is_the_cube_root_rule() -> None:
    """h = m = (1.5·c·w²(1−w)²/G)^⅓"""
    region = best("5", ".35", "0", ".001", "0")
    assert region.trigger == region.destination
    assert float(region.trigger) == pytest.approx((1.5 * 0.001 * (0.35 * 0.65) ** 2 / 5) ** (1 / 3), rel=1e-9)


def test_best_region__only_fixed_cost__goes_all_the_way_and_is_the_fourth_root_rule() -> None:
    """m = 0, h = (12·f·w²(1−w)²/G)^¼"""
    region = best("3", ".5", ".0001", "0", "0")
    assert region.destination == 0
    assert float(region.trigger) == pytest.approx((12 * 0.0001 * 0.0625 / 3) ** 0.25, rel=1e-9)


def test_best_region__vanishing_gas_and_impact__run_into_their_limits() -> None:
    edge, almost = best("3", ".5", "0", ".003", "0"), best("3", ".5", ".00000000001", ".003", "0")
    assert float(almost.trigger) == pytest.approx(float(edge.trigger), rel=0.02)
    assert float(almost.destination) == pytest.approx(float(edge.trigger), rel=0.02)
    without, hardly = best("3", ".5", ".0001", ".003", "0"), best("3", ".5", ".0001", ".003", ".000001")
    assert float(hardly.trigger) == pytest.approx(float(without.trigger), rel=1e-5)
    assert best("3", ".5", "0", ".003", "2") == edge, "without gas every trade is so small that impact does not count"


COSTS = st.builds(
    Costs,
    st.integers(1, 1_000).map(lambda n: F(n, 10**6)),
    st.integers(0, 100).map(lambda n: F(n, 10**4)),
    st.integers(0, 200).map(lambda n: F(n, 100)),
)
WEIGHTS = st.integers(5, 95).map(lambda n: F(n, 100))
AVERSIONS = st.integers(1, 20).map(Fraction)


@given(WEIGHTS, COSTS, AVERSIONS)
def test_best_region__any_costs__meets_both_equations(weight: Fraction, costs: Costs, aversion: Fraction) -> None:
    spread = spread_of_weight(weight)
    region = best_region(spread, costs, aversion)
    h, m, d = region.trigger, region.destination, region.step
    marginal = costs.proportional + 2 * costs.impact * d
    assert costs.fixed > costs.impact * d * d, "a trade stays below √(f/k), in money √(gas·L)"
    assert float(h * m * (h + m)) == pytest.approx(float(3 * spread / aversion * marginal), rel=1e-4, abs=1e-13)
    assert float(4 * h * m * (costs.fixed - costs.impact * d * d)) == pytest.approx(
        float(marginal * d**3), rel=1e-4, abs=1e-13
    )


@given(WEIGHTS, COSTS, AVERSIONS)
def test_best_region__any_costs__checks_itself(weight: Fraction, costs: Costs, aversion: Fraction) -> None:
    """Loss over cost is 1/2 where all cost is proportional and 1 where all of it is fixed; impact lies between."""
    spread = spread_of_weight(weight)
    check = expect(best_region(spread, costs, aversion), spread, F(1), costs).self_check(aversion)
    assert check is not None
    assert F(1, 2) - F(1, 1_000) <= check <= 1 + F(1, 1_000)


@pytest.mark.parametrize("costs", [("0.0002", "0.003", "0"), ("0.0001", "0.003", "0.5"), ("0.00003", "0.0006", "0.05")])
def test_best_region__against_a_grid_of_all_bands__none_is_better(costs: tuple[str, str, str]) -> None:
    """Brute force: every (h, m) in steps of 5 bps. The best of the grid is next to ours, and ours costs no more."""
    spread, fractions, aversion = spread_of_weight(F(2, 5)), Costs(*(F(cost) for cost in costs)), F(3)
    region = best_region(spread, fractions, aversion)
    grid = [Region(F(h, 2_000), F(m, 2_000)) for h, m in product(range(1, 300), range(300)) if m < h]
    ours = float(total(region, spread, fractions, aversion))
    found = min(grid, key=lambda one: _fast_total(one, float(spread), fractions))
    assert ours <= _fast_total(found, float(spread), fractions) * (1 + 1e-9)
    assert ours == pytest.approx(_fast_total(found, float(spread), fractions), rel=1e-3)
    assert abs(found.trigger - region.trigger) <= F(2, 1_000)
    assert abs(found.destination - region.destination) <= F(2, 1_000)


def _fast_total(region: Region, spread: float, costs: Costs) -> float:
    """G = 3, in floats and written out, so that it owes nothing to `expect`."""
    h, m = (
        region.trigger.numerator / region.trigger.denominator,
        region.destination.numerator / (region.destination.denominator),
    )
    f, c, k = float(costs.fixed), float(costs.proportional), float(costs.impact)
    trades = spread / (h * h - m * m)
    return 1.5 * (h * h + m * m) / 6 + trades * (f + c * (h - m) + k * (h - m) ** 2)


def test_rounded__triggers_go_up_and_destinations_to_the_nearest() -> None:
    assert Region(F("0.04542801"), F("0.04542801")).rounded() == (455, 454)
    assert Region(F("0.00001"), F(0)).rounded() == (1, 0), "never nothing: every block would trade"
    assert Region(F("0.02"), F("0.01996")).rounded() == (200, 200)


def test_within__clamped__keeps_its_shape() -> None:
    region = Region(F("0.04"), F("0.01"))
    assert region.within(F("0.08"), F("0.1")) == Region(F("0.08"), F("0.02"))
    assert region.within(F("0.01"), F("0.02")) == Region(F("0.02"), F("0.005"))
    assert region.within(F("0.01"), F("0.1")) == region


def test_without_estimates__small_and_large_weight() -> None:
    assert without_estimates(F("0.1")) == Region(F("0.04"), F("0.02"))
    assert without_estimates(F("0.6")) == Region(F("0.12"), F("0.06"))


@given(WEIGHTS)
def test_spread_of_pair__two_assets__is_that_of_either_weight(weight: Fraction) -> None:
    assert spread_of_pair(0, 1, [weight, 1 - weight]) == spread_of_weight(weight)


def test_spread_of_pair__four_assets__is_the_variance_of_half_their_difference() -> None:
    """By its definition: dy = (diag(w) − w·wᵀ) dr, with independent returns of variance 1/2, so that a pair has 1."""
    weights = [F(4, 10), F(3, 10), F(2, 10), F(1, 10)]
    for one, other in ((0, 1), (0, 3), (2, 1)):
        rows = [[weights[i] * ((i == k) - weights[k]) for k in range(4)] for i in (one, other)]
        expected = sum(((a - b) / 2) ** 2 for a, b in zip(*rows, strict=True)) / 2
        assert spread_of_pair(one, other, weights) == expected
