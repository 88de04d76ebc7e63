"""A vault: what is kept in line, how, when, and within which limits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from keeper.config.breakers import BreakersConfig
from keeper.config.custody import CustodyConfig
from keeper.config.fields import (
    EMPTY,
    Bps,
    BySymbol,
    Flag,
    Name,
    Part,
    Seconds,
    Slippage,
    Usd,
    UsdADay,
    Weight,
    Wrong,
    between,
)
from keeper.config.guards import GuardsConfig
from keeper.config.pools import Pool, PoolRef, named
from keeper.config.prices import PriceConfig
from keeper.config.schedules import ScheduleConfig
from keeper.config.slices import Slices
from keeper.config.strategies import StrategyConfig


def _some(pools: tuple[PoolRef, ...]) -> tuple[PoolRef, ...]:
    if not pools:
        raise Wrong("at least one pool", "none")
    return pools


class ExecutionConfig(Part):
    """How long a swap may take before it is cancelled, and what is done when it becomes expensive meanwhile."""

    deadline: Annotated[Seconds, between(30, 86_400, "a duration from 30s to 24h")] = 600
    when_expensive: Literal["wait", "escalate"] = "escalate"
    """Wait for cheaper blocks until the deadline, or offer more, up to the fee caps and the day's gas budget."""
    slippage: Slippage | None = None
    """None: as much as max_slippage allows. `auto`: for each trade what noise needs and no sandwich can use."""
    escalate_above: Usd | None = None
    """What is worth more is written down for the owners of the Safe to sign. None: the key does what it may."""
    proposal_ttl: Annotated[Seconds, between(600, 7 * 86_400, "a duration from 10m to 7d")] = 86_400
    """How long what the owners of a Safe are to sign may be executed: its swaps' deadline."""
    volatility: Annotated[Weight, between(10, 100_000, "0.1% to 1000% a year")] = 8_000
    """{bps a year} Of what is traded, for `slices` and `slippage: auto`."""
    preview_tolerance: Annotated[Bps, between(0, 100, "0bps to 100bps")] | None = None
    """ERC-4626 vaults are traded only with this: their calls carry no floor, so the simulation must bring at least the
    quote less this much."""


class VaultConfig(Part):
    """One vault. Everything but chain, custody, strategy and pools has a default."""

    chain: Name
    mode: Literal["dry", "live", "shadow"] = "dry"
    custody: CustodyConfig
    strategy: StrategyConfig
    pools: Annotated[tuple[Pool, ...], BeforeValidator(named), AfterValidator(_some)]
    schedule: ScheduleConfig = ScheduleConfig()
    guards: GuardsConfig = GuardsConfig()
    breakers: BreakersConfig = Field(default_factory=BreakersConfig)
    execution: ExecutionConfig = ExecutionConfig()
    slices: Slices | None = None
    """None: what the strategy wants is traded at once, as far as its limits let it."""
    prices: BySymbol[PriceConfig] = EMPTY
    """In place of the chain's, token by token."""
    max_authority: UsdADay | None = None
    """The most that a thief of the key may be able to take in 24 hours. Where money is real, `--live` needs it."""
    dangerously_exceed_ceilings: Flag = False

    @property
    def is_shadow(self) -> bool:
        """A candidate that decides beside the vault of the same account, and never sends."""
        return self.mode == "shadow"

    @property
    def is_live(self) -> bool:
        return self.mode == "live"

    @property
    def symbols(self) -> tuple[str, ...]:
        """Tokens whose balance is looked at."""
        return self.strategy.symbols

    def prices_on(self, chain: Mapping[str, PriceConfig]) -> Mapping[str, PriceConfig]:
        """What this vault's tokens are valued by: its own rules before the chain's."""
        return {**self.strategy.own_prices, **chain, **self.prices}
