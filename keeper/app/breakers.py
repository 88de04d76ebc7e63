"""The breakers of a vault, and how far back they look."""

from __future__ import annotations

from collections.abc import Iterator

from keeper.app.setting import Setting
from keeper.breakers.losses import Drawdown, Loss
from keeper.breakers.prices import Depeg, PriceJump
from keeper.breakers.strikes import Refusals, Reverts
from keeper.config.breakers import BreakersConfig, StrikesConfig
from keeper.core.ports import Breaker


def make_breakers(setting: Setting) -> tuple[Breaker, ...]:
    config = setting.config.kept[setting.name].breakers
    worth = _worth(setting, config) if isinstance(config, BreakersConfig) else ()
    return (*_strikes(config), *worth)


def _strikes(config: StrikesConfig) -> Iterator[Breaker]:
    if config.reverts.at is not None:
        yield Reverts(config.reverts.at.limit, config.reverts.at.seconds, config.reverts.rearm)
    if config.refusals.at is not None:
        yield Refusals(config.refusals.at, config.refusals.rearm)


def _worth(setting: Setting, config: BreakersConfig) -> Iterator[Breaker]:
    if config.loss.at is not None:
        yield Loss(config.loss.at.limit, config.loss.at.seconds, config.loss.rearm)
    if config.price_jump.at is not None:
        yield PriceJump(config.price_jump.at.limit, config.price_jump.at.seconds, config.price_jump.rearm)
    if config.drawdown.at is not None:
        yield Drawdown(config.drawdown.at.limit, config.drawdown.at.seconds, config.drawdown.rearm)
    if config.depeg.at is not None:
        pegs = {setting.tokens[symbol]: peg for symbol, peg in config.depeg.pegs.items()}
        yield Depeg(pegs, config.depeg.at, config.depeg.rearm)


def lookback(config: StrikesConfig) -> int:
    """{s} How far back samples are needed; 0 where no breaker compares with any."""
    if not isinstance(config, BreakersConfig):
        return 0
    rates = (config.price_jump.at, config.drawdown.at)
    return max((rate.seconds for rate in rates if rate is not None), default=0)
