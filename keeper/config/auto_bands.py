"""Bands that follow from costs: between what, and how cautious."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Any

from pydantic import AfterValidator, ValidationInfo, field_validator

from keeper.config.fields import EMPTY, Aversion, Band, Bps, BySymbol, Part, Weight, Wrong, between
from keeper.config.units import Band as BandValue


def _of_the_vault(band: BandValue) -> BandValue:
    if band.of_weight or not band.bps:
        raise Wrong("a band of the vault such as 1pp, above 0pp")
    return band


def _some(share: int) -> int:
    if not share:
        raise Wrong("a share above 0 such as 20bps")
    return share


_Edge = Annotated[Band, AfterValidator(_of_the_vault)]
_Budget = Annotated[Bps, AfterValidator(_some)]
_Volatility = Annotated[Weight, between(0, 100_000, "a yearly volatility of at most 1000%")]


def auto_or_mapping(value: Any) -> Any:
    """`band: auto` is `band: {}`: everything has a default."""
    return {} if value == "auto" else value


class AutoBandsConfig(Part):
    """`aversion` (G), or a budget that picks it: what a year may cost, or how far its return may stray."""

    min: _Edge = BandValue(10)
    max: _Edge = BandValue(1_000)
    aversion: Annotated[Aversion, between(Fraction(1, 100), 10_000, "a risk aversion from 0.01 to 10000")] | None = None
    cost: _Budget | None = None
    tracking_error: _Budget | None = None
    volatility: BySymbol[_Volatility] = EMPTY
    """Of a year, in the numeraire: forecasts and budgets need it, bands do not."""
    correlation: Annotated[Weight, between(0, 10_000, "a correlation from 0% to 100%")] = 6_000

    @field_validator("max")
    @classmethod
    def _order(cls, most: BandValue, info: ValidationInfo) -> BandValue:
        least = info.data.get("min")
        if least is not None and most.bps < least.bps:
            raise Wrong(f"at least min ({least})")
        return most

    @field_validator("cost", "tracking_error")
    @classmethod
    def _one(cls, budget: int | None, info: ValidationInfo) -> int | None:
        others = [key for key in ("aversion", "cost") if info.data.get(key) is not None and key != info.field_name]
        if budget is not None and others:
            raise Wrong("one of aversion, cost and tracking_error", f"{others[0]} as well")
        return budget
