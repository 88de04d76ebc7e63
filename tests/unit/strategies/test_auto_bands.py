"""Bands that follow from the snapshot's costs, by themselves and in a plan of weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.drifting import PairRule, World, keep
from keeper.core.chain import Unusable
from keeper.core.plan import Forecast, Hold, PairBand, Rebalance
from keeper.core.units import Token
from keeper.strategies.auto_bands import AutoBands, Budget, Drawn
from keeper.strategies.no_trade_region import Costs, best_region, spread_of_weight
from keeper.strategies.volatility import Volatility
from keeper.strategies.weights import Weights
from tests.builders import USDC, WETH, make_block, make_view, units, usd
from tests.unit.strategies.four import FOUR, WORTH, four, pools

F = Fraction
VOLATILITIES = dict(zip(FOUR, (6500, 7500, 9000, 200), strict=True))
NONE = dict.fromkeys(FOUR, F(0))
DEAR = F(8)
"""{USD} Gas of one rebalance."""
TREASURY: Mapping[Token, int] = {WETH: 6000, USDC: 4000}


def draw(bands: AutoBands, drifts: Mapping[Token, Fraction] = NONE, gas: Fraction = DEAR) -> Drawn:
    found = bands.draw(four(gas=gas), drifts, FOUR, usd(WORTH))
    assert isinstance(found, Drawn), found
    return found


def by_pair(drawn: Drawn) -> dict[frozenset[Token], PairBand]:
    return {frozenset((band.sell, band.buy)): band for band in drawn.bands}


def test_draw__two_assets__is_the_formula_on_what_a_pool_costs() -> None:
    """The examples' treasury: $2m, a 5 bp pool of $312m a side, gas of 230,000 units at 1 gwei."""
    plan = Weights(TREASURY, AutoBands()).plan(make_view([units(WETH, 390), units(USDC, 780_000)]))
    assert isinstance(plan, Hold)
    assert plan.forecast is not None
    (band,) = plan.forecast.bands
    value = F(390 * 3120 + 780_000)
    gas = F(230_000 * 3120, 10**9)
    region = best_region(spread_of_weight(F(6, 10)), Costs(gas / value, F(5, 10_000), value / 312_000_000))
    assert abs(F(band.trigger, 10_000) - region.trigger) < F(2, 10_000)
    assert abs(F(band.destination, 10_000) - region.destination) < F(2, 10_000)
    assert [(line.trigger, line.destination) for line in plan.assets] == [(band.trigger, band.destination)] * 2


def test_plan__reason__says_the_band_and_what_it_comes_from() -> None:
    plan = Weights(TREASURY, AutoBands()).plan(make_view())
    assert isinstance(plan, Rebalance)
    assert plan.reason == (
        "WETH is 64.35 %, 4.35pp above target and outside its band (±2.92pp): "
        "sell 13.5310 WETH ($42,216.69) for USDC to bring WETH to 62.24 %; "
        "band WETH/USDC ±2.92pp → 2.24pp from gas $0.72, fee 5 bps, impact 0.6 bps for 1 % of the vault"
    )


def test_draw__dearer_gas__widens_the_trigger_and_trades_further() -> None:
    cheap, dear = (by_pair(draw(AutoBands(), gas=F(gas)))[frozenset((WETH, USDC))] for gas in ("0.05", "8"))
    assert cheap.trigger < dear.trigger
    assert dear.trigger - dear.destination > cheap.trigger - cheap.destination


def test_draw__same_view__is_the_same_to_the_bit() -> None:
    assert draw(AutoBands()) == draw(AutoBands())


def test_draw__least_and_most__are_kept() -> None:
    assert {band.trigger for band in draw(AutoBands(least=900, most=900)).bands} == {900}
    assert all(100 <= band.trigger <= 400 for band in draw(AutoBands(least=100, most=400)).bands)


def test_draw__no_pool_for_a_pair__falls_back_and_says_so() -> None:
    view = four(states=[pool for pool in pools() if not pool.pool.trades(WETH, USDC)])
    found = AutoBands().draw(view, NONE, FOUR, usd(WORTH))
    assert isinstance(found, Drawn)
    band = by_pair(found)[frozenset((WETH, USDC))]
    assert (band.trigger, band.destination, band.gas) == (400, 200, None)
    assert band.why == "no pool of this vault trades WETH for USDC"


@pytest.mark.fault("M1")
def test_plan__gas_without_a_price__holds() -> None:
    view = replace(four(), native_price=Unusable("chainlink is 2h old, 1h allowed"))
    plan = Weights(FOUR, AutoBands()).plan(view)
    assert isinstance(plan, Hold)
    assert plan.code == "no_price"
    assert plan.reason == "bands follow from costs, and gas has no price: chainlink is 2h old, 1h allowed"


def test_draw__self_check__is_between_a_half_and_one() -> None:
    for gas in ("0.05", "8"):
        for band in draw(AutoBands(least=1), gas=F(gas)).bands:
            assert band.self_check is not None
            assert F(48, 100) <= band.self_check <= F(102, 100), band


# --- budgets ---------------------------------------------------------------------------------------------------------


def budgeted(budget: Budget) -> Forecast:
    return draw(AutoBands(1, 3_000, budget=budget, volatility=Volatility(VOLATILITIES))).forecast


@pytest.mark.parametrize("limit", [5, 12, 40])
def test_budget__of_cost__is_kept_and_used(limit: int) -> None:
    forecast = budgeted(Budget(cost=limit))
    assert forecast.cost is not None
    assert F(85, 100) * limit <= forecast.cost <= limit
    assert forecast.budget == f"cost of {limit} bps a year: kept"


@pytest.mark.parametrize("limit", [80, 200, 400])
def test_budget__of_tracking_error__is_kept_and_used(limit: int) -> None:
    forecast = budgeted(Budget(tracking_error=limit))
    assert forecast.tracking_error is not None
    assert F(90, 100) * limit <= forecast.tracking_error <= limit
    assert forecast.budget == f"tracking error {limit} bps: kept"


def test_budget__more_to_spend__narrower_bands() -> None:
    costs = [budgeted(Budget(cost=limit)) for limit in (5, 20)]
    assert all(a.trigger > b.trigger for a, b in zip(costs[0].bands, costs[1].bands, strict=True))


def test_budget__beyond_min_and_max__says_so() -> None:
    bands = AutoBands(500, 600, budget=Budget(tracking_error=10), volatility=Volatility(VOLATILITIES))
    forecast = draw(bands).forecast
    assert {band.trigger for band in forecast.bands} == {500}
    assert forecast.budget == "tracking error 10 bps: cannot be kept within min and max"


@pytest.mark.fault("C8")
def test_auto_bands__contradictions__are_refused() -> None:
    with pytest.raises(ValueError, match=r"expected 1 bps ≤ min ≤ max, were 300 and 200 bps"):
        AutoBands(300, 200)
    with pytest.raises(ValueError, match=r"a cost of 20 bps a year needs the volatility of every asset"):
        AutoBands(budget=Budget(cost=20))


# --- what is foretold, beside what happens ---------------------------------------------------------------------------


@pytest.mark.parametrize("gas", ["1", "8"])
def test_forecast__of_four_assets__is_near_what_a_simulation_does(gas: str) -> None:
    """Trades, turnover, tracking error and cost within a fifth; the forecast ignores that bands of pairs overlap."""
    drawn = draw(AutoBands(volatility=Volatility(VOLATILITIES)), gas=F(gas))
    trigger, destination = np.ones((4, 4)), np.zeros((4, 4))
    tokens = list(FOUR)
    for band in drawn.bands:
        one, other = tokens.index(band.sell), tokens.index(band.buy)
        trigger[one, other] = trigger[other, one] = band.trigger / 10_000
        destination[one, other] = destination[other, one] = band.destination / 10_000
    sigma = np.array([0.65, 0.75, 0.90, 0.02])
    alike = np.full((4, 4), 0.6) + 0.4 * np.eye(4)
    where = World(np.array([0.4, 0.3, 0.2, 0.1]), np.outer(sigma, sigma) * alike, paths=16, years=2.0, looks=24)
    kept = keep(where, [PairRule("drawn", trigger, destination)])
    cost = kept.cost(float(F(gas)) / WORTH, 0.0006, WORTH / 5_000_000)
    year = drawn.forecast
    pairs = [
        (year.trades, kept.swaps.mean()),
        (year.turnover, kept.turnover.mean() * 10_000),
        (year.tracking_error, kept.variance.mean() ** 0.5 * 10_000),
        (year.cost, cost.mean() * 10_000),
    ]
    for foretold, happened in pairs:
        assert foretold is not None
        assert float(foretold) == pytest.approx(float(happened), rel=0.2)


def test_forecast__without_volatility__has_bands_but_no_year() -> None:
    forecast = draw(AutoBands()).forecast
    assert len(forecast.bands) == 6
    assert (forecast.trades, forecast.turnover, forecast.tracking_error, forecast.cost) == (None,) * 4


# --- plans -----------------------------------------------------------------------------------------------------------


@st.composite
def drifts(draw: st.DrawFn) -> Sequence[int]:
    figures = draw(st.lists(st.integers(-900, 900), min_size=3, max_size=3))
    return [*figures, -sum(figures)] if -1_000 <= -sum(figures) <= 5_000 else [0, 0, 0, 0]


@pytest.mark.fault("M20", "M21")
@given(drifts(), st.sampled_from([F(5, 100), F(8)]))
@settings(max_examples=40, deadline=None)
def test_plan__any_drift__helps_more_than_it_costs_and_is_not_taken_back(out: Sequence[int], gas: Fraction) -> None:
    """After a plan's trades at their quotes, Σ|drift| is less, no target is crossed, and nothing is sold back.

    What trades is worth its gas: a band's step is the least that pays for it, so no trade is below a third of one.
    """
    view, weights = four(out, gas=gas), Weights(FOUR, AutoBands())
    plan = weights.plan(view)
    if isinstance(plan, Hold):
        assert plan.code == "in_band"
        return
    held = dict(view.holdings)
    for trade in plan.trades:
        found = view.best(trade.sell, trade.buy)
        assert isinstance(found, tuple)
        held[trade.sell.token] = held[trade.sell.token] - trade.sell
        held[trade.buy] = held[trade.buy] + found[1]
    again = weights.plan(replace(view, holdings=held))
    sold, bought = {t.sell.token for t in plan.trades}, {t.buy for t in plan.trades}
    if isinstance(again, Rebalance):
        assert not {t.sell.token for t in again.trades} & bought
        assert not {t.buy for t in again.trades} & sold
    before = {line.token: line.drift for line in plan.assets}
    after = {line.token: line.drift for line in again.assets}
    assert sum(map(abs, after.values())) < sum(map(abs, before.values()))
    assert all(before[token] * after[token] >= 0 for token in sold | bought)


def test_plan__resumed_in_slices__goes_on_to_the_destination() -> None:
    view = make_view([units(WETH, 402), units(USDC, 770_000)])
    assert isinstance(Weights(TREASURY, AutoBands()).plan(view), Hold)
    resumed = Weights(TREASURY, AutoBands().to_destination()).plan(view)
    assert isinstance(resumed, Hold)
    assert resumed.assets[0].drift < resumed.assets[0].trigger
    further = make_view([units(WETH, 405), units(USDC, 765_000)])
    assert isinstance(Weights(TREASURY, AutoBands()).plan(further), Hold)
    assert isinstance(Weights(TREASURY, AutoBands().to_destination()).plan(further), Rebalance)


def test_plan__legacy_chain_without_fees__holds() -> None:
    plan = Weights(TREASURY, AutoBands()).plan(make_view(block=make_block(base_fee=None)))
    assert isinstance(plan, Hold)
    assert "neither a base fee nor a gas price" in plan.reason


def test_four__of_the_builder__has_the_drifts_it_was_given() -> None:
    plan = Weights(FOUR, AutoBands()).plan(four((300, -100, -150, -50)))
    assert [round(line.drift) for line in plan.assets] == [300, -100, -150, -50]
