"""Target weights, how far they may drift, and what is never traded."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, ValidationInfo, field_validator

from keeper.config.auto_bands import AutoBandsConfig, auto_or_mapping
from keeper.config.calendar import CalendarConfig
from keeper.config.fields import (
    EMPTY,
    Amount,
    Band,
    BySymbol,
    Count,
    Destination,
    OneOrMore,
    Part,
    Symbol,
    UsdOrAuto,
    Weight,
    Wrong,
    between,
)
from keeper.config.paths import Path
from keeper.config.prices import PriceConfig
from keeper.config.units import Band as BandValue
from keeper.config.units import plain
from keeper.core.units import USD, WHOLE_BPS, TokenAmount

NOTHING = BandValue(0)


def _above_zero(band: BandValue) -> BandValue:
    if not band.bps:
        raise Wrong("a trigger above 0pp: otherwise every block trades")
    return band


_Trigger = Annotated[Band, AfterValidator(_above_zero)]
_Symbols = Annotated[tuple[Symbol, ...], OneOrMore]
_Priority = Annotated[Count, between(1, 1_000, "a number from 1 to 1000")]


class BandsConfig(Part):
    """Trigger and destination of one asset, in place of the common ones."""

    trigger: _Trigger
    destination: Destination


class WeightsConfig(Part):
    """Target weights, and how far they may drift: a trigger with a destination, or `band: auto`, or on a calendar only.

    `dust` is too small to trade, `clip` the most at once; `auto` works both out from gas.
    """

    kind: Literal["weights"]
    weights: BySymbol[Weight]
    trigger: _Trigger | None = None
    destination: Destination | None = None
    bands: BySymbol[BandsConfig] = EMPTY
    band: Annotated[AutoBandsConfig | None, BeforeValidator(auto_or_mapping)] = None
    calendar: CalendarConfig | None = None
    dust: UsdOrAuto = TokenAmount.from_whole(USD, 10)
    clip: UsdOrAuto | None = None
    locked: _Symbols = ()
    """Bought, never sold."""
    cash: _Symbols = ()
    """Take the other side of a trade before any other does."""
    priorities: BySymbol[_Priority] = EMPTY
    """How many times a token's drift counts where it is decided who trades first."""
    reserve: Annotated[tuple[Amount, ...], OneOrMore] = ()
    """Kept out of the weights, and never traded."""
    numeraire: Literal["USD"] = "USD"

    @field_validator("weights")
    @classmethod
    def _sum(cls, weights: dict[str, int]) -> dict[str, int]:
        total = sum(weights.values())
        if total != WHOLE_BPS:
            raise Wrong("weights that sum to 100%", f"{plain(Fraction(total, 100))}%")
        if len(weights) < 2:
            raise Wrong("at least two tokens", str(len(weights)))
        return weights

    @field_validator("clip")
    @classmethod
    def _clip(
        cls, clip: TokenAmount | Literal["auto"] | None, info: ValidationInfo
    ) -> TokenAmount | Literal["auto"] | None:
        dust = info.data.get("dust")
        if isinstance(clip, TokenAmount) and isinstance(dust, TokenAmount) and clip <= dust:
            raise Wrong(f"more than dust ({plain(dust.whole)} USD)")
        return clip

    @property
    def symbols(self) -> tuple[str, ...]:
        """The tokens that such a vault holds, as the chain's configuration names them."""
        return tuple(self.weights)

    def symbol_places(self) -> tuple[tuple[Path, str], ...]:
        """Where each of them stands."""
        return tuple((("weights", symbol), symbol) for symbol in self.weights)

    @property
    def traded(self) -> frozenset[str]:
        """Those that a pool must reach."""
        return frozenset(symbol for symbol, weight in self.weights.items() if weight)

    @property
    def own_prices(self) -> Mapping[str, PriceConfig]:
        """What its tokens are valued by where nobody else says: nothing of its own."""
        return {}

    def bands_of(self, symbol: str) -> tuple[BandValue, BandValue]:
        """Trigger and destination of one asset, where bands are fixed; on a calendar alone both are the destination."""
        own = self.bands.get(symbol)
        trigger, destination = (own.trigger, own.destination) if own else (self.trigger, self.destination)
        wanted = _resolved(trigger or NOTHING, destination)
        return trigger or wanted, wanted


def _resolved(trigger: BandValue, destination: BandValue | Literal["target", "edge", "half"] | None) -> BandValue:
    if isinstance(destination, BandValue):
        return destination
    share = {"edge": Fraction(1), "half": Fraction(1, 2)}.get(destination or "target", Fraction(0))
    return BandValue(int(trigger.bps * share), trigger.of_weight)
