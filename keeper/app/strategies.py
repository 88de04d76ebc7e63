"""One strategy for each `kind` of a configuration."""

from __future__ import annotations

from keeper.app.setting import Setting
from keeper.app.slices import in_slices
from keeper.config.units import Band as BandConfig
from keeper.config.weights import WeightsConfig
from keeper.core.ports import Strategy
from keeper.core.units import TokenAmount
from keeper.strategies.bands import Band, Bands
from keeper.strategies.weights import Weights


def make_strategy(setting: Setting) -> Strategy:
    return in_slices(_weights(setting, setting.strategy), setting)


def _weights(setting: Setting, config: WeightsConfig) -> Weights:
    tokens = setting.tokens
    own = {tokens[symbol]: (_band(bands.trigger), _band(bands.destination)) for symbol, bands in config.bands.items()}
    return Weights(
        targets={tokens[symbol]: weight for symbol, weight in config.weights.items()},
        bands=Bands(_band(config.trigger), _band(config.destination), own),
        dust=config.dust,
        clip=_clip(setting, config),
    )


def _clip(setting: Setting, config: WeightsConfig) -> TokenAmount:
    """The most that one trade is planned for: never more than the guard max_trade would let pass."""
    limit = setting.config.vaults[setting.name].guards.max_trade
    if config.clip is not None:
        return min(config.clip, limit)
    return limit


def _band(config: BandConfig) -> Band:
    return Band(config.bps, config.of_weight)
