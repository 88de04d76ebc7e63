"""The breakers of a vault: the evidence that latches each, and how it lets go. `off` takes one away."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from keeper.config.fields import (
    EMPTY,
    Bps,
    BySymbol,
    Count,
    CountRate,
    LongShareRate,
    Part,
    Seconds,
    ShareRate,
    Usd,
    UsdPrice,
    Written,
    Wrong,
    between,
    short_form,
)
from keeper.config.units import DAY, Rate
from keeper.core.latches import Rearm
from keeper.core.units import WHOLE_BPS

_LONGEST = 30 * DAY
_Off = BeforeValidator(lambda value: None if value == "off" else value)


def _shown(value: Any) -> str:
    return "off" if value is None else str(value)


def _some(rate: Rate) -> Rate:
    if not rate.limit:
        raise Wrong("a limit above 0, or off")
    return rate


def _partly(rate: Rate) -> Rate:
    """A vault cannot lose more than there is: nothing would ever trip it."""
    if rate.limit >= WHOLE_BPS:
        raise Wrong("a limit below 100%, or off")
    return rate


_Counted = Annotated[Annotated[CountRate, AfterValidator(_some)] | None, _Off, Written(_shown, shows_none=True)]
_Share = Annotated[
    Annotated[ShareRate, AfterValidator(_some), AfterValidator(_partly)] | None, _Off, Written(_shown, shows_none=True)
]
_Fall = Annotated[
    Annotated[LongShareRate, AfterValidator(_some), AfterValidator(_partly)] | None,
    _Off,
    Written(_shown, shows_none=True),
]
_LongShare = Annotated[Annotated[LongShareRate, AfterValidator(_some)] | None, _Off, Written(_shown, shows_none=True)]
_InARow = Annotated[
    Annotated[Count, between(2, 100_000, "2 or more, or off")] | None, _Off, Written(_shown, shows_none=True)
]
_Away = Annotated[
    Annotated[Bps, between(1, 5_000, "1bps to 5000bps, or off")] | None,
    _Off,
    Written(lambda bps: "off" if bps is None else f"{bps}bps", shows_none=True),
]

_Peg = Annotated[UsdPrice, between(Fraction(1, 10**18), 10**18, "a peg above 0")]


class BreakerConfig(Part):
    """How a breaker lets go: by hand where there is no `after`; with a `trial`, one trade of at most that first."""

    after: Annotated[Seconds, between(60, _LONGEST, "a duration from 1m to 30d")] | None = None
    trial: Usd | None = None

    @model_validator(mode="after")
    def _trial_follows_a_rest(self) -> BreakerConfig:
        if self.trial is not None and self.after is None:
            raise Wrong("`after` beside `trial`: what is cleared by hand tries nothing", "trial alone")
        if self.trial is not None and self.trial.raw <= 0:
            raise Wrong("a trial above 0 USD", "0 USD")
        return self

    @property
    def rearm(self) -> Rearm:
        return Rearm(self.after, self.trial)


class RevertsConfig(BreakerConfig):
    """Transactions that reverted. Each was simulated as a success a moment before: three in an hour have a cause."""

    at: _Counted = Rate(3, 3_600, "times")


class RefusalsConfig(BreakerConfig):
    """Cycles in a row that guards refused."""

    at: _InARow = None


class LossConfig(BreakerConfig):
    """Quote minus fill, as a share of the vault's value. With the default tolerance and turnover others can take
    12.5 bps of a vault a day at the very worst, and in a quiet market next to nothing."""

    at: _Share = Rate(10, DAY, "bps")


class PriceJumpConfig(BreakerConfig):
    """Any asset's price against what was noted within the window. A fifth within an hour is news, not noise; an hour
    later the sources have caught up with each other."""

    at: _LongShare = Rate(2_000, 3_600, "bps")
    after: Annotated[Seconds, between(60, _LONGEST, "a duration from 1m to 30d")] | None = 3_600


class DrawdownConfig(BreakerConfig):
    """The vault's value below its highest within the window, deposits and withdrawals set aside."""

    at: _Fall = None


class DepegConfig(BreakerConfig):
    """Distance of each of these tokens from what it should be worth."""

    at: _Away = None
    pegs: BySymbol[_Peg] = EMPTY


_Short = BeforeValidator(short_form("at"))


class StrikesConfig(Part):
    """Breakers that count. Every key is also the breaker's name."""

    reverts: Annotated[RevertsConfig, _Short] = RevertsConfig()
    refusals: Annotated[RefusalsConfig, _Short] = RefusalsConfig()


class BreakersConfig(StrikesConfig):
    """Those of a vault: also what it is worth, and what its tokens are."""

    loss: Annotated[LossConfig, _Short] = LossConfig()
    price_jump: Annotated[PriceJumpConfig, _Short] = PriceJumpConfig()
    drawdown: Annotated[DrawdownConfig, _Short] = DrawdownConfig()
    depeg: Annotated[DepegConfig, _Short] = Field(default_factory=DepegConfig)
