"""What no day can show, as other limits stand before it: read from the configuration."""

from __future__ import annotations

from collections.abc import Iterator

from keeper.config import Config
from keeper.config.prices import ChainlinkConfig, FixedConfig, PriceConfig, leaves
from keeper.config.units import DAY, duration_text
from keeper.core.errors import ConfigError
from keeper.rehearsal.shape import first_price

MOST_SLIPPAGE = 100
"""{bps} Beyond it a sandwich earns more than it costs."""
LONGEST = DAY // 2
"""{s} A feed of a coin that moves promises more than this."""
KEYS = ("prices", "guards", "sources", "times")
"""Places of a configuration whose refusal is a weakness found, not a slip of the pen."""


def weaknesses(config: Config, vault: str) -> Iterator[str]:
    """One line each."""
    body, chain, rules = config.vaults[vault], config.chain_of(vault), config.prices_of(vault)
    for symbol in body.symbols:
        yield from _price(symbol, rules[symbol])
    if body.guards.max_slippage > MOST_SLIPPAGE:
        share = body.guards.max_slippage / 100
        yield f"max_slippage {share:g} %: a sandwich may take so much of every trade (more than 1 %)"
    age = body.guards.max_price_age
    if age is not None and age >= DAY:
        yield f"max_price_age {duration_text(age)}: lets a price through that is a day old"
    if chain.agreeing < 2 and not chain.is_local:
        yield "one RPC is believed alone: nobody contradicts it when it lies"


def _price(symbol: str, rule: PriceConfig) -> Iterator[str]:
    found = [leaf for source in rule.sources for leaf in leaves(source)]
    if any(isinstance(leaf, FixedConfig) for leaf in found):
        yield f"{symbol}: a fixed price: it stays where it is written while the market leaves it"
    feeds = [leaf for leaf in found if isinstance(leaf, ChainlinkConfig)]
    if feeds and first_price(symbol, None) != 1:
        quickest = min(feed.heartbeat + feed.grace for feed in feeds)
        if quickest >= LONGEST:
            yield f"{symbol}: its price may be {duration_text(quickest)} old: a coin that moves has feeds of an hour"


def refused(error: ConfigError) -> str | None:
    """The weakness that the configuration's own checks refuse; None where it is a mistake of another kind."""
    if not any(key in error.path.split(".") for key in KEYS):
        return None
    return f"refused before any day: {error}"
