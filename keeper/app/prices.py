"""Price rules from price configurations: every source ends in the numeraire, through others where it must."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from keeper.chain.reading.chainlink import ChainlinkSource, Sequencer
from keeper.chain.reading.pins import Pins
from keeper.chain.reading.prices import FixedSource, InverseSource, PriceRule, ProductSource
from keeper.chain.reading.twap import TwapSource
from keeper.config.chains import ChainConfig
from keeper.config.prices import (
    ChainlinkConfig,
    FixedConfig,
    PriceConfig,
    ProductConfig,
    SourceConfig,
    TwapConfig,
)
from keeper.config.units import duration_text
from keeper.core.errors import ConfigError
from keeper.core.ports import PriceSource
from keeper.core.units import USD, Address, Price, Token


@dataclass(frozen=True, slots=True)
class PriceMaker:
    """Makes the price rules of one vault. `rules` are by symbol: the vault's own before its chain's."""

    chain: ChainConfig
    pins: Pins
    rules: Mapping[str, PriceConfig]
    sequencer: Sequencer | None
    pool_named: Mapping[str, Address]

    def rule(self, symbol: str, token: Token) -> PriceRule:
        """Raises ConfigError where a source cannot be brought to the numeraire."""
        config = self.rules[symbol]
        kinds = [source.kind for source in config.sources]
        sources = tuple(self._to_usd(source, token, symbol, kinds.count(source.kind) > 1) for source in config.sources)
        return PriceRule(sources, config.need, config.apart, config.min, config.max)

    def _to_usd(self, config: SourceConfig, base: Token, symbol: str, several: bool) -> PriceSource:
        """`several`: more than one source of this kind, so that its name needs a place beside it."""
        if isinstance(config, ProductConfig):
            return self._product(config, base, symbol)
        source, quote = self._source(config, base, symbol, last=True, place=several)
        return source if quote == USD else ProductSource(source.name, (source, self._anchor(quote, symbol)))

    def _product(self, config: ProductConfig, base: Token, symbol: str) -> PriceSource:
        factors: list[PriceSource] = []
        unit = base
        for factor in config.of:
            source, unit = self._source(factor, unit, symbol, last=factor is config.of[-1])
            factors.append(source)
        if unit != USD:
            factors.append(self._anchor(unit, symbol))
        return ProductSource(" × ".join(dict.fromkeys(factor.name for factor in factors)), tuple(factors))

    def _source(
        self, config: SourceConfig, base: Token, symbol: str, *, last: bool, place: bool = False
    ) -> tuple[PriceSource, Token]:
        """A source for `base`, and the unit that its price is in: USD for the last factor of a product."""
        match config:
            case ChainlinkConfig():
                quote = USD if last or config.pair is None else _unit(config)
                return self._chainlink(config, base, quote, place), quote
            case TwapConfig():
                pool = self.pins.pools[self._pool(config, symbol)]
                if base not in pool.tokens:
                    found = "/".join(token.symbol for token in pool.tokens)
                    raise ConfigError(
                        "config", f"prices.{symbol}", f"an average of {base.symbol}", f"a pool of {found}"
                    )
                quote = next(token for token in pool.tokens if token != base)
                name = f"twap{duration_text(config.window)}{_short(pool.address) if place else ''}"
                return TwapSource(name, pool.address, base, quote, config.window), quote
            case FixedConfig():
                return FixedSource("fixed", Price(base, USD, config.price)), USD
        raise ConfigError("config", f"prices.{symbol}", "a product of single sources", "a product inside a product")

    def _chainlink(self, config: ChainlinkConfig, base: Token, quote: Token, place: bool) -> PriceSource:
        ends = (quote, base) if config.invert else (base, quote)
        source = ChainlinkSource(
            name=f"chainlink{_short(config.feed) if place else ''}",
            feed=config.feed,
            base=ends[0],
            quote=ends[1],
            decimals=self.pins.feed_decimals[config.feed],
            heartbeat=config.heartbeat,
            grace=config.grace,
            sequencer=self.sequencer,
        )
        return InverseSource(source) if config.invert else source

    def _pool(self, config: TwapConfig, symbol: str) -> Address:
        ref = config.pool
        address = ref.address or self.pool_named.get(ref.name) or self.chain.pools.get(ref.name)
        if address is None or address not in self.pins.pools:
            raise ConfigError("config", f"prices.{symbol}", "a pool of this vault or chain", str(ref))
        return address

    def _anchor(self, unit: Token, symbol: str) -> PriceSource:
        """What brings an average to the numeraire: the other token's own first source that is no average."""
        known = self.chain.symbols().get(unit.address, unit.symbol)
        for source in self.rules[known].sources if known in self.rules else ():
            if isinstance(source, ChainlinkConfig | FixedConfig):
                return self._source(source, unit, known, last=True)[0]
        raise ConfigError("config", f"prices.{symbol}", f"a price of {unit.symbol} in USD to multiply with", "none")


def _unit(config: ChainlinkConfig) -> Token:
    """A unit of account such as ETH inside wstETH/ETH × ETH/USD."""
    assert config.pair is not None
    name = config.pair.base if config.invert else config.pair.quote
    return Token(0, Address(name), name, 18)


def _short(address: Address) -> str:
    return f" {address[:6]}…{address[-4:]}"
