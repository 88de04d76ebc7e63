"""A peg from its configuration: sources by name, bands, limits."""

from __future__ import annotations

from keeper.app.setting import Setting
from keeper.chain.reading.twap import TwapSource
from keeper.config.peg import PegConfig, PegSource
from keeper.config.pools import PoolRef
from keeper.config.units import Blocks, duration_text
from keeper.core.abi import calldata
from keeper.core.chain import Read
from keeper.core.errors import ConfigError
from keeper.core.pools import Pool
from keeper.core.units import Token, TokenAmount
from keeper.strategies.peg import Bands, Belief, Pace, Peg
from keeper.strategies.peg_price import FixedPeg, Goal, Known, Pair, PoolMean, RatePeg, Said, Source
from keeper.strategies.peg_stock import Hoard, Means
from keeper.strategies.peg_trace import Persist, Renewing


def make_peg(setting: Setting, config: PegConfig) -> Peg:
    """Raises ConfigError where a source asks a pool for what it does not have."""
    coin, against = setting.tokens[config.coin], setting.tokens[config.against]
    guards, price = setting.config.vaults[setting.name].guards, config.price
    sources = tuple(_source(setting, config, source, index) for index, source in enumerate(price.sources))
    again = config.regenerate
    return Peg(
        pair=Pair(coin, against, config.is_in_usd),
        goal=_goal(config),
        bands=Bands(config.trigger, config.destination, config.wall),
        belief=Belief(sources, price.need or len(sources), price.apart, price.ema, price.samples, price.max_move),
        means=Means(config.capacity.limit, config.capacity.seconds, _hoards(setting, config)),
        pace=Pace(guards.max_trade, config.step, config.clip, config.dust, guards.cool_down, config.pay_for_peg),
        persist=_persist(config),
        against_peg=config.peg_of_against,
        renewing=None if again is None else Renewing(again.after, again.of, again.every),
    )


def _goal(config: PegConfig) -> Goal:
    if config.peg.rate is None:
        return FixedPeg(config.peg.ratio)
    return RatePeg(Read(config.peg.rate, calldata("getRate()")), config.max_rate_step)


def _source(setting: Setting, config: PegConfig, source: PegSource, index: int) -> Source:
    if source.symbol:
        return Known(str(source))
    pool = setting.pins.pools[setting.config.pool_address(setting.name, PoolRef(source.pool))]
    coin, against = setting.tokens[config.coin], setting.tokens[config.against]
    where = f"vaults.{setting.name}.strategy.price.sources[{index}]"
    if not pool.trades(coin, against):
        pair = "/".join(token.symbol for token in pool.tokens)
        raise ConfigError("config", where, f"a pool of {coin.symbol} and {against.symbol}", pair)
    if source.how == "ema":
        return PoolMean(str(source), pool.address, config.price.samples)
    return Said(str(source), _average(pool, (coin, against), config.price.window, where))


_AVERAGED = "uniswap_v3", "pancake_v3", "slipstream"
"""They answer `observe` alike."""


def _average(pool: Pool, pair: tuple[Token, Token], window: int, where: str) -> TwapSource:
    if pool.kind not in _AVERAGED:
        raise ConfigError("config", where, "a pool that keeps an average (uniswap_v3), or `.ema`", pool.kind)
    return TwapSource(f"twap{duration_text(window)}", pool.address, *pair, window)


def _hoards(setting: Setting, config: PegConfig) -> dict[Token, Hoard]:
    found = {}
    for symbol, bounds in config.inventory.items():
        token = setting.tokens[symbol]
        least, most = (
            None if each is None else TokenAmount.from_whole(token, each) for each in (bounds.min, bounds.max)
        )
        found[token] = Hoard(least, most)
    return found


def _persist(config: PegConfig) -> Persist:
    if isinstance(config.persist, Blocks):
        return Persist(blocks=config.persist.count)
    return Persist(seconds=config.persist)
