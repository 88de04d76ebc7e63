"""One strategy for each `kind` of a configuration."""

from __future__ import annotations

from collections.abc import Mapping

from keeper.app.pegs import make_peg
from keeper.app.setting import Setting
from keeper.app.slices import in_slices
from keeper.config.auto_bands import AutoBandsConfig
from keeper.config.calendar import CalendarConfig
from keeper.config.peg import PegConfig
from keeper.config.units import Amount
from keeper.config.units import Band as BandConfig
from keeper.config.weights import WeightsConfig
from keeper.core.chain import Read
from keeper.core.errors import ConfigError
from keeper.core.ports import Strategy
from keeper.core.units import USD, Token, TokenAmount
from keeper.schedule import Cron
from keeper.strategies.auto_bands import AutoBands, Budget
from keeper.strategies.bands import Band, Bands
from keeper.strategies.calendar import Calendar, every
from keeper.strategies.gas_limits import GasLimits
from keeper.strategies.no_trade_region import DEFAULT_AVERSION
from keeper.strategies.rules import Rules
from keeper.strategies.volatility import Volatility
from keeper.strategies.weights import Weights


def make_strategy(setting: Setting) -> Strategy:
    config = setting.strategy
    if isinstance(config, PegConfig):
        return make_peg(setting, config)
    return in_slices(_weights(setting, config), setting)


def strategy_reads(setting: Setting) -> tuple[Read, ...]:
    """What the strategy asks of the chain itself."""
    config = setting.strategy
    return make_peg(setting, config).reads() if isinstance(config, PegConfig) else ()


def _weights(setting: Setting, config: WeightsConfig) -> Weights:
    tokens, guards = setting.tokens, setting.config.vaults[setting.name].guards
    dust, clip = config.dust, config.clip
    return Weights(
        targets={tokens[symbol]: weight for symbol, weight in config.weights.items()},
        bands=_bands(config, tokens) if config.band is None else _auto_bands(config.band, tokens),
        dust=dust if isinstance(dust, TokenAmount) else TokenAmount(USD, 0),
        # Never more than the guard max_trade would let pass.
        clip=min(clip, guards.max_trade) if isinstance(clip, TokenAmount) else guards.max_trade,
        rules=_rules(config, tokens),
        # Gas of more than max_gas_cost would be refused anyway.
        by_gas=GasLimits(guards.max_gas_cost if dust == "auto" else None, clip == "auto"),
        calendar=_calendar(config.calendar) if config.calendar else None,
    )


def _bands(config: WeightsConfig, tokens: Mapping[str, Token]) -> Bands:
    common = config.bands_of("")
    own = {tokens[symbol]: config.bands_of(symbol) for symbol in config.bands}
    return Bands(_band(common[0]), _band(common[1]), {t: (_band(h), _band(m)) for t, (h, m) in own.items()})


def _auto_bands(config: AutoBandsConfig, tokens: Mapping[str, Token]) -> AutoBands:
    volatility = {tokens[symbol]: figure for symbol, figure in config.volatility.items()}
    budget = None
    if config.cost is not None or config.tracking_error is not None:
        budget = Budget(config.cost, config.tracking_error)
    return AutoBands(
        config.min.bps,
        config.max.bps,
        DEFAULT_AVERSION if config.aversion is None else config.aversion,
        budget,
        Volatility(volatility, config.correlation) if volatility else None,
    )


def _rules(config: WeightsConfig, tokens: Mapping[str, Token]) -> Rules:
    return Rules(
        locked=frozenset(tokens[symbol] for symbol in config.locked),
        cash=frozenset(tokens[symbol] for symbol in config.cash),
        priorities={tokens[symbol]: priority for symbol, priority in config.priorities.items()},
        reserve={tokens[amount.symbol]: _kept(amount, tokens[amount.symbol]) for amount in config.reserve},
    )


def _kept(amount: Amount, token: Token) -> TokenAmount:
    try:
        return TokenAmount(token, amount.raw(token.decimals))
    except ValueError as error:
        raise ConfigError("token", f"reserve of {token.symbol}", str(error), str(amount)) from None


def _calendar(config: CalendarConfig) -> Calendar:
    if config.cron is not None:
        return Calendar(Cron(config.cron, config.zone).next_at, config.within, config.jitter)
    assert config.every is not None
    return Calendar(every(config.every), config.within, config.jitter)


def _band(config: BandConfig) -> Band:
    return Band(config.bps, config.of_weight)
