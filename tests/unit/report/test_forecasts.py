"""Bands from costs, as a plan's page and a cycle's explanation show them."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from keeper.core.decision import Decision
from keeper.core.plan import Hold
from keeper.report.decision import VaultMeta, describe
from keeper.report.forecasts import forecast_record, year_line
from keeper.report.plan import render_plan
from keeper.strategies.auto_bands import AutoBands, Budget
from keeper.strategies.volatility import Volatility
from keeper.strategies.weights import Weights
from tests.builders import NOW, USDC, WETH, make_view, units

VOLATILITY = Volatility({WETH: 6500, USDC: 100})
VIEW = make_view([units(WETH, 390), units(USDC, 780_000)])
META = VaultMeta("treasury", "base", 8453, "wallet", "dry", strategy="weights")


def page(bands: AutoBands) -> str:
    plan = Weights({WETH: 6000, USDC: 4000}, bands).plan(VIEW)
    assert isinstance(plan, Hold)
    record = json.loads(json.dumps(describe(Decision("treasury", VIEW, plan), META)))
    return render_plan(record, now=NOW).plain(160)


def test_render_plan__bands_from_costs__shows_where_they_come_from_and_a_year() -> None:
    said = page(AutoBands(volatility=VOLATILITY))
    assert (
        "bands    WETH/USDC ±2.92pp → 2.24pp     from gas $0.72, fee 5 bps, impact 0.6 bps per 1 % · loss/cost 0.51"
        in said
    )
    assert (
        "year     about 68 trades, turnover 46.3 %, tracking error 96.8 bps, cost 2.8 bps (G 3); look every 9h" in said
    )


def test_render_plan__no_volatility__says_what_is_missing() -> None:
    assert "year     not foretold without `volatility` (G 3)" in page(AutoBands())


def test_render_plan__budget__says_whether_it_is_kept() -> None:
    said = page(AutoBands(budget=Budget(cost=5), volatility=VOLATILITY))
    assert "cost of 5 bps a year: kept" in " ".join(said.split())


def test_year_line__trades_without_number__are_many() -> None:
    forecast = Weights({WETH: 6000, USDC: 4000}, AutoBands(volatility=VOLATILITY)).plan(VIEW)
    assert isinstance(forecast, Hold)
    assert forecast.forecast is not None
    record = forecast_record(replace(forecast.forecast, trades=None))
    assert year_line(record).startswith("many small trades, turnover ")


def test_describe__fixed_bands__have_no_forecast() -> None:
    plan = Hold("in_band", "all is well")
    assert "forecast" not in describe(Decision("treasury", VIEW, plan), META)["plan"]


@pytest.mark.fault("invariant 10")
def test_forecast_record__same_view__is_the_same_text() -> None:
    assert page(AutoBands(volatility=VOLATILITY)) == page(AutoBands(volatility=VOLATILITY))
