"""One adapter for each `kind` of a configuration. A new strategy, custody, venue or guard is one line here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from keeper import guards
from keeper.chain.reading.pins import Pins
from keeper.config import Config
from keeper.config.strategies import WeightsConfig
from keeper.config.units import Band as BandConfig
from keeper.core.chain import Pool, Router
from keeper.core.ports import Custody, Guard, PoolPin, Strategy, Venue
from keeper.core.units import NATIVE, Token, TokenAmount
from keeper.custody.wallet import Wallet
from keeper.routing.single import SinglePool
from keeper.strategies.bands import Band, Bands
from keeper.strategies.weights import Weights
from keeper.venues.uniswap_v2 import UniswapV2, UniswapV2Pin
from keeper.venues.uniswap_v3 import UniswapV3, UniswapV3Pin

PINS: Mapping[str, PoolPin] = {"uniswap_v3": UniswapV3Pin(), "uniswap_v2": UniswapV2Pin()}


def make_venues() -> Mapping[str, Venue]:
    return {"uniswap_v2": UniswapV2(), "uniswap_v3": UniswapV3()}


@dataclass(frozen=True, slots=True)
class Setting:
    """One vault of a configuration beside what its chain says: all that its parts are made from."""

    config: Config
    name: str
    pins: Pins

    @property
    def tokens(self) -> Mapping[str, Token]:
        """The vault's tokens by the symbol that the configuration gives them."""
        chain = self.config.chain_of(self.name)
        return {symbol: self.pins.tokens[chain.tokens[symbol].address] for symbol in self.strategy.weights}

    @property
    def strategy(self) -> WeightsConfig:
        return self.config.vaults[self.name].strategy

    @property
    def pools(self) -> tuple[Pool, ...]:
        return tuple(self.pins.pools[address] for address in self.config.pools_of(self.name))

    @property
    def routers(self) -> tuple[Router, ...]:
        return tuple(dict.fromkeys(pool.router for pool in self.pools))

    @property
    def native(self) -> Token:
        chain = self.config.chain_of(self.name)
        return Token(chain.chain_id, NATIVE, chain.native.symbol, chain.native.decimals)

    @property
    def wrapped(self) -> Token | None:
        """The wrapped native token, where the vault holds it and native coin counts as it."""
        if self.config.vaults[self.name].custody.native != "count":
            return None
        return self.tokens.get(self.config.chain_of(self.name).native.wrapped or "")

    @property
    def gas_reserve(self) -> TokenAmount:
        return TokenAmount(self.native, self.config.gas_reserve_of(self.name).raw(self.native.decimals))


def make_strategy(setting: Setting) -> Strategy:
    config, tokens = setting.strategy, setting.tokens
    own = {tokens[symbol]: (_band(bands.trigger), _band(bands.destination)) for symbol, bands in config.bands.items()}
    return Weights(
        targets={tokens[symbol]: weight for symbol, weight in config.weights.items()},
        bands=Bands(_band(config.trigger), _band(config.destination), own),
        dust=config.dust,
        clip=_clip(setting),
    )


def _clip(setting: Setting) -> TokenAmount:
    """The most that one trade is planned for: never more than the guard max_trade would let pass."""
    limit = setting.config.vaults[setting.name].guards.max_trade
    if setting.strategy.clip is not None:
        return min(setting.strategy.clip, limit)
    return limit


def _band(config: BandConfig) -> Band:
    return Band(config.bps, config.of_weight)


def make_custody(setting: Setting) -> Custody:
    return Wallet(setting.routers, setting.wrapped, setting.gas_reserve)


def make_routing(setting: Setting) -> SinglePool:
    vault = setting.config.vaults[setting.name]
    return SinglePool(vault.guards.max_slippage, vault.guards.max_deviation, vault.execution.deadline)


def make_guards(setting: Setting) -> tuple[Guard, ...]:
    limits = setting.config.vaults[setting.name].guards
    return (
        guards.MaxSlippage(limits.max_slippage),
        guards.MaxImpact(limits.max_impact),
        guards.MaxOracleDisagreement(limits.max_oracle_disagreement),
        guards.MaxPriceAge(limits.max_price_age),
        guards.MaxDeviation(limits.max_deviation),
        guards.MaxTrade(limits.max_trade),
        guards.MaxTurnover(limits.max_turnover.limit, limits.max_turnover.seconds),
        guards.CoolDown(limits.cool_down),
        guards.MaxTrades(limits.max_trades.limit, limits.max_trades.seconds),
        guards.MaxBaseFee(setting.config.max_base_fee_of(setting.name)),
        guards.MaxGasCost(limits.max_gas_cost),
        guards.MaxGasPerDay(limits.max_gas_per_day.limit, limits.max_gas_per_day.seconds),
        guards.GasReserve(setting.gas_reserve),
        guards.DriftFalls(setting.wrapped),
        guards.NoCrossing(setting.wrapped),
        guards.AllowList(setting.routers, tuple(setting.tokens.values()), setting.wrapped),
        guards.Paused(),
    )
