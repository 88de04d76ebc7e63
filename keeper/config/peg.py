"""A coin that is kept near its peg: what it should be worth, whom to believe, when to act, how much to spend on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, Literal

from pydantic import AfterValidator, ValidationInfo, field_validator

from keeper.config import units
from keeper.config.fields import (
    EMPTY,
    Bps,
    BySymbol,
    Count,
    Interval,
    OneOrMore,
    Part,
    Seconds,
    Symbol,
    Usd,
    Written,
    Wrong,
    between,
    from_text,
    parse_address,
    parse_name,
)
from keeper.config.paths import Path
from keeper.config.pools import PoolRef
from keeper.config.prices import PriceConfig, TwapConfig
from keeper.core.units import USD, Address, TokenAmount

_DAY = 86_400


@dataclass(frozen=True, slots=True)
class PegValue:
    """`1 USD`, `1.02 USDC`, or `rate(0x…)`: what a rate provider says, in the other coin."""

    ratio: Fraction = Fraction(0)
    unit: str = ""
    rate: Address | None = None

    def __str__(self) -> str:
        return f"rate({self.rate})" if self.rate else f"{units.plain(self.ratio)} {self.unit}"


def _peg(text: str) -> PegValue:
    if text.startswith("rate(") and text.endswith(")"):
        return PegValue(rate=parse_address(text[5:-1].strip()))
    try:
        found = units.amount(text)
    except ValueError:
        raise Wrong("a peg such as 1 USD, 1 USDC or rate(0x…)") from None
    if not found.whole:
        raise Wrong("a peg above 0")
    return PegValue(found.whole, found.symbol)


@dataclass(frozen=True, slots=True)
class PegSource:
    """`uni.twap` and `bal.ema`, of a pool of the vault; `DUSD/USD`, the coin's own price rule."""

    pool: str = ""
    how: str = ""
    symbol: str = ""

    def __str__(self) -> str:
        return f"{self.symbol}/USD" if self.symbol else f"{self.pool}.{self.how}"


def _source(text: str) -> PegSource:
    left, slash, unit = text.partition("/")
    if slash and unit == USD.symbol:
        return PegSource(symbol=left)
    pool, dot, how = text.rpartition(".")
    if not dot or how not in ("twap", "ema"):
        raise Wrong("a source such as uni.twap, uni.ema or DUSD/USD")
    return PegSource(parse_name(pool), how)


def _times(text: str) -> str:
    left, slash, unit = text.partition("/")
    if not slash or unit != USD.symbol or not units.SYMBOL.fullmatch(left):
        raise Wrong("a price such as USDC/USD")
    return left


@dataclass(frozen=True, slots=True)
class SideRate:
    """So much value on each side, buying and selling, within a rolling window of `seconds`."""

    limit: TokenAmount
    seconds: int

    def __str__(self) -> str:
        return f"{units.plain(self.limit.whole)} USD per side per {units.duration_text(self.seconds)}"


def _side_rate(text: str) -> SideRate:
    expected = "a capacity such as 250000 USD per side per 24h"
    if " per side per " not in text:
        raise Wrong(expected)
    try:
        found = units.value_rate(text.replace(" per side per ", " per "))
    except ValueError:
        raise Wrong(f"{expected}, with a window from 1m to 24h") from None
    if not found.limit:
        raise Wrong("a capacity above 0 USD")
    return SideRate(found.limit, found.seconds)


def _whole(text: str) -> Fraction:
    try:
        return units.decimal(text)
    except ValueError:
        raise Wrong("a number of whole coins such as 500000") from None


def _own_peg(text: str) -> Fraction | str:
    """{USD} `1 USD`, or `none`."""
    try:
        return text if text == "none" else units.price(text)
    except ValueError:
        raise Wrong("none, or a price such as 1 USD") from None


def _own_peg_text(value: Fraction | str) -> str:
    return value if isinstance(value, str) else f"{units.plain(value)} USD"


_Whole = Annotated[Fraction, from_text(_whole), Written(units.plain)]
_Source = Annotated[PegSource, from_text(_source), Written(str)]


def _some(sources: tuple[PegSource, ...]) -> tuple[PegSource, ...]:
    if not sources:
        raise Wrong("at least one source", "none")
    if len(set(sources)) < len(sources):
        raise Wrong("sources that differ", "one twice")
    return sources


class PegPriceConfig(Part):
    """Whom to believe. `times` is what brings the other coin's price to USD, so that it is known which one moved."""

    sources: Annotated[tuple[_Source, ...], OneOrMore, AfterValidator(_some)]
    times: Annotated[str, from_text(_times), Written(lambda symbol: f"{symbol}/USD")] | None = None
    need: Annotated[Count, between(1, 9, "1 to 9")] | None = None
    """None: every one of them."""
    apart: Annotated[Bps, between(1, 500, "1bps to 500bps")] = 20
    window: Annotated[Seconds, between(60, _DAY, "a window from 1m to 24h")] = 1_800
    """Of a pool's own average."""
    ema: Annotated[Seconds, between(10, _DAY, "a duration from 10s to 24h")] = 600
    """Time of our own means. After a silence as long they begin anew."""
    samples: Annotated[Count, between(2, 10_000, "2 to 10000")] = 30
    """Looks that a mean needs before it is believed."""
    max_move: Annotated[Bps, between(1, 1_000, "1bps to 1000bps")] = 30
    """How far a pool may stand from its own mean: beyond it somebody is moving it."""


class HoardConfig(Part):
    """Bounds of one coin's balance, in whole coins."""

    min: _Whole | None = None
    max: _Whole | None = None


class RegenerateConfig(Part):
    """A side's capacity is whole again after so many favourable observations out of the last ones."""

    after: Annotated[Count, between(1, 500, "1 to 500")]
    of: Annotated[Count, between(1, 500, "1 to 500")]
    every: Annotated[Seconds, between(1, _DAY, "a duration from 1s to 24h")]


class PegConfig(Part):
    """A coin, what it should be worth, and two bands: outside `trigger` the keeper trades, outside `wall` it stops."""

    kind: Literal["peg"]
    coin: Symbol
    against: Symbol
    peg: Annotated[PegValue, from_text(_peg), Written(str)]
    trigger: Annotated[Bps, between(1, 5_000, "1bps to 5000bps")]
    destination: Bps
    wall: Annotated[Bps, between(1, 5_000, "1bps to 5000bps")]
    persist: Interval = units.Blocks(3)
    price: PegPriceConfig
    capacity: Annotated[SideRate, from_text(_side_rate), Written(str)]
    inventory: BySymbol[HoardConfig] = EMPTY
    pay_for_peg: Annotated[Bps, between(0, 500, "0bps to 500bps")] = 0
    step: Annotated[Bps, between(1, 500, "1bps to 500bps")] = 10
    """How far one trade may move a pool."""
    clip: Usd | None = None
    """None: what gas and depth make best."""
    dust: Usd = TokenAmount.from_whole(USD, 10)
    against_peg: Annotated[Fraction | str, from_text(_own_peg), Written(_own_peg_text)] | None = None
    """What `against` should be worth itself, or `none`; None: 1 USD where the peg is in USD."""
    max_rate_step: Annotated[Bps, between(1, 500, "1bps to 500bps")] = 10
    """How far a rate may move from one look to the next."""
    regenerate: RegenerateConfig | None = None

    @field_validator("destination")
    @classmethod
    def _destination(cls, destination: int, info: ValidationInfo) -> int:
        trigger = info.data.get("trigger")
        if trigger is not None and destination >= trigger:
            raise Wrong(f"less than the trigger ({trigger}bps)")
        return destination

    @field_validator("wall")
    @classmethod
    def _wall(cls, wall: int, info: ValidationInfo) -> int:
        trigger = info.data.get("trigger")
        if trigger is not None and wall <= trigger:
            raise Wrong(f"more than the trigger ({trigger}bps)")
        return wall

    @field_validator("against")
    @classmethod
    def _against(cls, against: str, info: ValidationInfo) -> str:
        if against == info.data.get("coin"):
            raise Wrong("another token than the coin")
        return against

    @property
    def symbols(self) -> tuple[str, ...]:
        """The tokens that such a vault holds, as the chain's configuration names them."""
        return self.coin, self.against

    def symbol_places(self) -> tuple[tuple[Path, str], ...]:
        """Where each of them stands."""
        return (("coin",), self.coin), (("against",), self.against)

    @property
    def traded(self) -> frozenset[str]:
        """Those that a pool must reach."""
        return frozenset(self.symbols)

    @property
    def is_in_usd(self) -> bool:
        return self.peg.unit == USD.symbol

    @property
    def peg_of_against(self) -> Fraction | None:
        """{USD} None where the other coin has no peg of its own."""
        if self.against_peg is None:
            return Fraction(1) if self.is_in_usd else None
        return None if isinstance(self.against_peg, str) else self.against_peg

    @property
    def own_prices(self) -> Mapping[str, PriceConfig]:
        """What the coin is valued by where nothing else says: the averages of its own pools."""
        pools = [source.pool for source in self.price.sources if source.how == "twap"]
        if not pools:
            return {}
        averages = (TwapConfig.model_construct(pool=PoolRef(pool), window=self.price.window) for pool in pools)
        return {self.coin: PriceConfig.model_construct(sources=tuple(averages))}
