"""Target weights, and how far they may drift."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Literal

from pydantic import AfterValidator, ValidationInfo, field_validator

from keeper.config.fields import EMPTY, Band, BySymbol, Part, Usd, Weight, Wrong
from keeper.config.units import Band as BandValue
from keeper.config.units import plain
from keeper.core.units import USD, WHOLE_BPS, TokenAmount


def _above_zero(band: BandValue) -> BandValue:
    if not band.bps:
        raise Wrong("a trigger above 0pp: otherwise every block trades")
    return band


_Trigger = Annotated[Band, AfterValidator(_above_zero)]


class BandsConfig(Part):
    """Trigger and destination of one asset, in place of the common ones."""

    trigger: _Trigger
    destination: Band


class WeightsConfig(Part):
    """Target weights, and how far they may drift. `dust` is too small to trade, `clip` the most at once."""

    kind: Literal["weights"]
    weights: BySymbol[Weight]
    trigger: _Trigger
    destination: Band
    bands: BySymbol[BandsConfig] = EMPTY
    dust: Usd = TokenAmount.from_whole(USD, 10)
    clip: Usd | None = None
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
    def _clip(cls, clip: TokenAmount | None, info: ValidationInfo) -> TokenAmount | None:
        dust = info.data.get("dust")
        if clip is not None and dust is not None and clip <= dust:
            raise Wrong(f"more than dust ({plain(dust.whole)} USD)")
        return clip

    @property
    def symbols(self) -> tuple[str, ...]:
        """The tokens that such a vault holds, as the chain's configuration names them."""
        return tuple(self.weights)

    def bands_of(self, symbol: str) -> tuple[BandValue, BandValue]:
        """Trigger and destination of one asset."""
        own = self.bands.get(symbol)
        return (own.trigger, own.destination) if own else (self.trigger, self.destination)
