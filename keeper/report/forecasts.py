"""Bands that follow from costs, and what they are expected to do in a year: as a record, and in words."""

from __future__ import annotations

from fractions import Fraction

from keeper.core import text
from keeper.core.foreign import printable
from keeper.core.plan import Forecast, PairBand
from keeper.report import format as form
from keeper.report.figures import whole
from keeper.report.nouns import Record, amount
from keeper.report.page import DIM, Page


def forecast_record(forecast: Forecast) -> Record:
    """Ratios are decimal text; a year's figures are null where no volatility was given."""
    return {
        "aversion": form.decimal(forecast.aversion),
        "bands": [_band(band) for band in forecast.bands],
        "trades": _figure(forecast.trades),
        "turnover_bps": _figure(forecast.turnover),
        "tracking_error_bps": _figure(forecast.tracking_error),
        "cost_bps": _figure(forecast.cost),
        "look": forecast.look,
        "budget": forecast.budget,
    }


def _band(band: PairBand) -> Record:
    return {
        "sell": band.sell.symbol,
        "buy": band.buy.symbol,
        "trigger_bps": band.trigger,
        "destination_bps": band.destination,
        "gas": amount(band.gas) if band.gas else None,
        "fee_bps": form.decimal(band.fee),
        "impact_bps": form.decimal(band.impact),
        "self_check": _figure(band.self_check),
        "why": printable(band.why),
    }


def _figure(value: Fraction | None) -> str | None:
    return None if value is None else form.decimal(value)


def show_forecast(page: Page, forecast: Record | None) -> None:
    """One line for each pair, and one for the year."""
    if forecast is None:
        return
    for index, band in enumerate(forecast["bands"]):
        page.label("" if index else "bands", *_band_line(band), indent=2)
    page.label("year", year_line(forecast), indent=2)


def _band_line(band: Record) -> list[str | tuple[str, str]]:
    edges = f"{band['sell']}/{band['buy']} {form.band(band['trigger_bps'])} → {text.pp(band['destination_bps'])}"
    if band["gas"] is None:
        return [edges, (f"     without estimates: {band['why']}", DIM)]
    costs = (
        f"gas {form.usd(whole(band['gas']))}, fee {_bps(band['fee_bps'])}, impact {_bps(band['impact_bps'])} per 1 %"
    )
    check = f" · loss/cost {form.rounded(Fraction(band['self_check']), 2)}" if band["self_check"] else ""
    return [edges, (f"     from {costs}{check}", DIM)]


def year_line(forecast: Record) -> str:
    """`about 68 trades, turnover 46 %, tracking error 97 bps, cost 2.8 bps (G 3)`"""
    caution = f"G {text.trimmed(Fraction(forecast['aversion']), 2)}"
    if forecast["cost_bps"] is None:
        return f"not foretold without `volatility` ({caution})"
    trades = "many small" if forecast["trades"] is None else f"about {form.rounded(Fraction(forecast['trades']), 0)}"
    turnover = form.short_percent(round(Fraction(forecast["turnover_bps"])))
    said = f"{trades} trades, turnover {turnover}, tracking error {_bps(forecast['tracking_error_bps'])}"
    budget = f"; {forecast['budget']}" if forecast["budget"] else ""
    look = f"; look every {form.age(forecast['look'])}" if forecast.get("look") else ""
    return f"{said}, cost {_bps(forecast['cost_bps'])} ({caution}{budget}){look}"


def _bps(figure: str) -> str:
    return text.bps(Fraction(figure))
