"""MATH 1: what a band means in a year, as formulas and as a drift that is really walked."""

from __future__ import annotations

from fractions import Fraction
from math import sqrt

import numpy as np
import pytest

from keeper.strategies.expected import expect, longest_look, mean_square, root, widened
from keeper.strategies.no_trade_region import Costs, Region

F = Fraction
NOTHING = Costs(F(0), F(0), F(0))


def walk(region: Region, deviation: float, steps: int, walkers: int, every: float) -> tuple[float, float, float]:
    """Trades and turnover a year and mean square of a drift that wanders and is looked at `every` so many years."""
    h, m = float(region.trigger), float(region.destination)
    random = np.random.default_rng(5)
    drift, trades, turnover, squares = np.zeros(walkers), 0, 0.0, 0.0
    for _ in range(steps):
        drift += random.standard_normal(walkers) * deviation * sqrt(every)
        out = np.abs(drift) > h
        trades += int(out.sum())
        turnover += float((np.abs(drift[out]) - m).sum())
        drift[out] = np.sign(drift[out]) * m
        squares += float((drift**2).mean())
    years = steps * every * walkers
    return trades / years, turnover / years, squares / steps


def test_expect__a_walk_with_trigger_and_destination__is_met_within_sampling_error() -> None:
    """512 walker-years, looked at 2,000 times a year: about 7,900 trades, 1.1 % of sampling error; 4 % allowed."""
    region, deviation, every = Region(F("0.03"), F("0.012")), 0.11, 1 / 2_000
    seen = widened(region, F("0.11"), F(1, 2_000))
    year = expect(seen, F("0.11") ** 2, F(1), NOTHING)
    trades, turnover, squares = walk(region, deviation, 4_000, 256, every)
    assert year.trades is not None
    assert trades == pytest.approx(float(year.trades), rel=0.04)
    assert turnover == pytest.approx(float(year.turnover), rel=0.04)
    assert squares == pytest.approx(float(year.variance), rel=0.04)


def test_widened__looks_seldom__explains_what_the_bare_formula_misses() -> None:
    """At 100 looks a year the uncorrected formula is a third too high; with 0.5826·s·√D it is within 5 %."""
    region, deviation, every = Region(F("0.03"), F(0)), 0.11, 1 / 100
    trades, _, _ = walk(region, deviation, 1_000, 512, every)
    bare = expect(region, F("0.11") ** 2, F(1), NOTHING).trades
    corrected = expect(widened(region, F("0.11"), F(1, 100)), F("0.11") ** 2, F(1), NOTHING).trades
    assert bare is not None
    assert corrected is not None
    assert trades == pytest.approx(float(corrected), rel=0.05)
    assert float(bare) > 1.3 * trades


def test_longest_look__is_where_the_band_is_a_tenth_wider() -> None:
    region, deviation = Region(F("0.03"), F("0.01")), F("0.11")
    every = longest_look(region, deviation)
    assert every == F(295, 10_000) * (F("0.03") / F("0.11")) ** 2
    assert float(widened(region, deviation, every).trigger / region.trigger) == pytest.approx(1.1, rel=1e-3)


@pytest.mark.parametrize(
    ("share_left", "saved"),
    [(F(1), "0.4883"), (F(1, 2), "0.4607"), (F(0), "0.2764")],
    ids=["edge", "half-way", "target"],
)
def test_expect__turnover_at_equal_tracking_error__is_saved_against_a_calendar(
    share_left: Fraction, saved: str
) -> None:
    """Leland 1996: "almost 50 %". A calendar of period D has mean square s²D/2 and trades s·√(2D/π) each time."""
    deviation = F("0.1")
    region = Region(F("0.03"), share_left * F("0.03"))
    period = 2 * mean_square(region) / deviation**2
    calendar = float(deviation) * sqrt(2 * period / np.pi) / float(period)
    ours = float(expect(region, deviation**2, F(1), NOTHING).turnover)
    assert 1 - ours / calendar == pytest.approx(float(saved), abs=5e-5)


def test_expect__edge_without_gas__has_no_number_of_trades_but_a_cost() -> None:
    region = Region(F("0.03"), F("0.03"))
    year = expect(region, F("0.01"), F(1), Costs(F(0), F("0.003"), F(5)))
    assert year.trades is None
    assert year.turnover == F("0.01") / F("0.06")
    assert year.cost == year.turnover * F("0.003")


def test_add__two_parts__sum_but_for_the_tracking_error() -> None:
    one = expect(Region(F("0.03"), F("0.01")), F("0.01"), F(1), Costs(F("0.0001"), F("0.001"), F(0)))
    both = one + one
    assert both.trades is not None
    assert one.trades is not None
    assert (both.trades, both.turnover, both.cost) == (2 * one.trades, 2 * one.turnover, 2 * one.cost)
    assert float(both.tracking_error) == pytest.approx(sqrt(2) * float(one.tracking_error))


def test_root__is_rounded_down_and_exact_on_squares() -> None:
    assert root(F(9, 16)) == F(3, 4)
    assert 0 < F(2) - root(F(2)) ** 2 < F(1, 10**11)
