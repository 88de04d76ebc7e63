"""The no-trade region of a vault at one block: fixed bands for its assets, or bands for its pairs that costs draw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

from keeper.core.plan import AssetLine, Forecast
from keeper.core.units import WHOLE_BPS, Token
from keeper.core.weighing import Weighing
from keeper.strategies import sentences, strain
from keeper.strategies.auto_bands import Drawn
from keeper.strategies.bands import Bands
from keeper.strategies.netting import CanTrade, Importance, Pairing, pair


class NoTradeRegion(Protocol):
    """Where nothing is traded, and what is traded outside of it."""

    @property
    def forecast(self) -> Forecast | None: ...

    def edges(self, token: Token) -> tuple[Fraction, Fraction]:
        """{bps} Trigger and destination of an asset."""
        ...

    def is_inside(self, scales: Weighing, targets: Mapping[Token, int]) -> bool: ...

    def pairings(self, assets: Sequence[AssetLine], can_trade: CanTrade, importance: Importance) -> list[Pairing]: ...

    def said(self) -> str:
        """What a plan's reason says of it, beside drifts and triggers."""
        ...


@dataclass(frozen=True, slots=True)
class FixedRegion:
    """Each asset inside its own band."""

    bands: Bands
    targets: Mapping[Token, int]

    @property
    def forecast(self) -> None:
        return None

    def edges(self, token: Token) -> tuple[Fraction, Fraction]:
        return self.bands.of(token, self.targets[token])

    def is_inside(self, scales: Weighing, targets: Mapping[Token, int]) -> bool:
        """Without a single division, by cross-multiplication: |value / total - target| <= trigger."""
        total = scales.total
        for token, target in targets.items():
            trigger, of = self.edges(token)[0].as_integer_ratio()
            if abs(scales.value(token) * WHOLE_BPS - target * total) * of > trigger * total:
                return False
        return True

    def pairings(self, assets: Sequence[AssetLine], can_trade: CanTrade, importance: Importance) -> list[Pairing]:
        return pair(assets, can_trade, importance)

    def said(self) -> str:
        return ""


@dataclass(frozen=True, slots=True)
class PairRegion:
    """Half the difference of any two drifts, one above and one below its target, inside the band of their pair."""

    drawn: Drawn
    drifts: Mapping[Token, Fraction]

    @property
    def forecast(self) -> Forecast:
        return self.drawn.forecast

    def edges(self, token: Token) -> tuple[Fraction, Fraction]:
        return strain.edges(token, self.drawn.bands, self.drifts)

    def is_inside(self, scales: Weighing, targets: Mapping[Token, int]) -> bool:
        return not strain.strained(self.drawn.bands, scales.drifts(targets))

    def pairings(self, assets: Sequence[AssetLine], can_trade: CanTrade, importance: Importance) -> list[Pairing]:
        targets = {asset.token: asset.target for asset in assets}
        return strain.pair_up(self.drawn.bands, self.drifts, targets, can_trade, importance)

    def said(self) -> str:
        return "; " + sentences.band_from_costs(strain.nearest(self.drawn.bands, self.drifts))
