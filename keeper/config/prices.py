"""Where a price comes from, and when it is not believed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Discriminator, PlainValidator, Tag

from keeper.config.fields import (
    Address,
    Bps,
    Count,
    Flag,
    OneOrMore,
    Part,
    Seconds,
    UsdPrice,
    Written,
    Wrong,
    between,
)
from keeper.config.kinds import kind_of
from keeper.config.pools import Pool
from keeper.core.units import Address as CoreAddress

_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Pair:
    """`ETH / USD`, as a feed describes itself."""

    base: str
    quote: str

    def __str__(self) -> str:
        return f"{self.base} / {self.quote}"


def _pair(value: Any) -> Pair:
    parts = [part.strip() for part in value.split("/")] if isinstance(value, str) else []
    if len(parts) != 2 or not all(parts):
        raise Wrong("a pair such as ETH / USD")
    return Pair(*parts)


class ChainlinkConfig(Part):
    """A Chainlink aggregator. `heartbeat` is how often it updates at least; `grace` is allowed on top."""

    kind: Literal["chainlink"] = "chainlink"
    feed: Address
    heartbeat: Annotated[Seconds, between(1, 7 * _DAY, "a duration from 1s to 7d")]
    grace: Annotated[Seconds, between(0, _DAY, "a duration up to 24h")] = 300
    pair: Annotated[Pair, PlainValidator(_pair), Written(str)] | None = None
    """What the feed says of itself; compared with the chain by `keeper check`."""
    invert: Flag = False


class TwapConfig(Part):
    """The time-weighted average of a Uniswap v3 pool, in the pool's other token."""

    kind: Literal["twap"] = "twap"
    pool: Pool
    window: Annotated[Seconds, between(60, _DAY, "a window from 1m to 24h")] = 1_800


class FixedConfig(Part):
    """A price that somebody wrote down: for local chains and dry vaults."""

    kind: Literal["fixed"] = "fixed"
    price: Annotated[UsdPrice, between(Fraction(1, 10**18), 10**18, "a price above 0")]


class ProductConfig(Part):
    """Sources multiplied: wstETH/ETH times ETH/USD."""

    kind: Literal["product"] = "product"
    of: Annotated[tuple[SourceConfig, ...], AfterValidator(lambda value: _at_least(value, 2))]


SourceConfig = Annotated[
    Annotated[ChainlinkConfig, Tag("kind=chainlink")]
    | Annotated[TwapConfig, Tag("kind=twap")]
    | Annotated[FixedConfig, Tag("kind=fixed")]
    | Annotated[ProductConfig, Tag("kind=product")],
    Discriminator(kind_of),
]


def _at_least(value: tuple[Any, ...], least: int) -> tuple[Any, ...]:
    if len(value) < least:
        raise Wrong(f"at least {least} source{'' if least == 1 else 's'}", str(len(value)))
    return value


class PriceConfig(Part):
    """One token in the numeraire: which sources, how many of them must answer, and how far apart they may be."""

    sources: Annotated[tuple[SourceConfig, ...], OneOrMore, AfterValidator(lambda value: _at_least(value, 1))]
    need: Annotated[Count, between(1, 9, "1 to 9")] = 1
    apart: Annotated[Bps, between(1, 2_000, "1bps to 2000bps")] = 500
    min: UsdPrice | None = None
    max: UsdPrice | None = None
    """The sane range of each source: outside it a feed is taken for broken or for another one."""


class SequencerConfig(Part):
    """The uptime feed of an L2's sequencer. Prices count again `grace` after it came back."""

    feed: Address
    grace: Annotated[Seconds, between(60, _DAY, "a duration from 1m to 24h")] = 3_600


def leaves(source: SourceConfig) -> tuple[SourceConfig, ...]:
    """The sources that really ask something: a product's factors, else itself."""
    if isinstance(source, ProductConfig):
        return tuple(leaf for factor in source.of for leaf in leaves(factor))
    return (source,)


def feeds(prices: Mapping[str, PriceConfig]) -> set[CoreAddress]:
    """Every Chainlink feed that these prices use."""
    found = (leaf for price in prices.values() for source in price.sources for leaf in leaves(source))
    return {leaf.feed for leaf in found if isinstance(leaf, ChainlinkConfig)}
