"""The root of the configuration, and what concerns the keeper itself."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from keeper.config.chains import ChainConfig
from keeper.config.fields import (
    EMPTY,
    AnyUrl,
    Count,
    File,
    Flag,
    Named,
    OneOrMore,
    Part,
    Seconds,
    Wrong,
    between,
    short_form,
)
from keeper.config.paths import Path, dotted
from keeper.config.pools import PoolRef
from keeper.config.prices import PriceConfig
from keeper.config.signers import SignerConfig
from keeper.config.units import Amount
from keeper.config.upkeeps import AnyUpkeep, UpkeepConfig
from keeper.config.vaults import VaultConfig
from keeper.core.units import Address, Wei

_DAY = 86_400


class JournalBody(Part):
    """Where everything is written down: a file beside the config, or a database by URL."""

    path: File = Field(default="keeper.db", validate_default=True)
    """A SQLite file, where there is no `url`."""
    url: AnyUrl | None = None
    sample: Annotated[Seconds, between(60, _DAY, "a duration from 1m to 24h")] = 3_600
    """How often prices, balances and weights are noted, per vault."""
    keep: Annotated[Seconds, between(_DAY, 3_650 * _DAY, "a duration from 24h to 3650d")] | None = None
    """How long cycles and their inputs are kept, but for those of transactions; for ever where it says nothing."""


class AlertsConfig(Part):
    """Who is told, and who notices when the keeper itself falls silent."""

    to: Annotated[tuple[AnyUrl, ...], OneOrMore] = ()
    heartbeat: AnyUrl | None = None
    remind: Annotated[Seconds, between(60, 30 * _DAY, "a duration from 1m to 30d")] = 4 * 3_600
    """After how long what still stands is said again."""
    refused_after: Annotated[Seconds, between(0, 30 * _DAY, "a duration up to 30d")] = 3_600
    """How long guards may refuse a vault, or nothing can be decided for it, before people hear of it."""
    stuck_after: Annotated[Seconds, between(10, _DAY, "a duration from 10s to 24h")] = 600
    """How long a transaction may be on its way and not mined."""
    gas_days: Annotated[Count, between(0, 365, "a number of days up to 365")] = 7
    """For how many days a sender's native coin must last, at the rate of its last week."""


class TelemetryConfig(Part):
    """The log. Lines are JSON where it is asked for, or where nobody looks: not on a terminal."""

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    as_json: Annotated[Flag | None, Field(alias="json")] = None


def _some(value: Mapping[str, object]) -> Mapping[str, object]:
    if not value:
        raise Wrong("at least one", "none")
    return value


class Config(Part):
    """All that a keeper is told."""

    chains: Annotated[Named[ChainConfig], AfterValidator(_some)]
    signers: Named[SignerConfig] = EMPTY
    vaults: Named[VaultConfig] = EMPTY
    upkeeps: Named[UpkeepConfig] = EMPTY
    journal: Annotated[JournalBody, BeforeValidator(short_form("path"))] = Field(
        default_factory=dict, validate_default=True
    )
    alerts: AlertsConfig = AlertsConfig()
    telemetry: TelemetryConfig = TelemetryConfig()

    @property
    def kept(self) -> Mapping[str, VaultConfig | AnyUpkeep]:
        """Vaults and upkeeps, by name and in this order: all that is looked at, decided and journaled."""
        maps: Any = (self.upkeeps, self.vaults)  # walked from the last to the first; asked without a copy
        return ChainMap(*maps)

    def kept_on(self, chain: str) -> tuple[str, ...]:
        return tuple(name for name, body in self.kept.items() if body.chain == chain)

    def place_of(self, name: str) -> Path:
        """Where it stands in the file."""
        return ("upkeeps" if name in self.upkeeps else "vaults", name)

    def signer_place(self, name: str) -> str:
        """Where its signer stands: `vaults.treasury.custody.signer`, `upkeeps.counter.signer`."""
        return dotted((*self.place_of(name), *(() if name in self.upkeeps else ("custody",)), "signer"))

    def original_of(self, name: str) -> str:
        """The vault that a shadow stands beside: the other one of its account. Itself for whatever is no shadow."""
        vault = self.vaults.get(name)
        if vault is None or not vault.is_shadow:
            return name
        mine = (vault.chain, self.account_of(name))
        others = (other for other, body in self.vaults.items() if not body.is_shadow)
        return next((other for other in others if (self.vaults[other].chain, self.account_of(other)) == mine), name)

    def chain_of(self, vault: str) -> ChainConfig:
        return self.chains[self.kept[vault].chain]

    def symbols_of(self, vault: str) -> tuple[str, ...]:
        """Tokens that it holds, without the native coin."""
        native = self.chain_of(vault).native.symbol
        return tuple(symbol for symbol in self.kept[vault].symbols if symbol != native)

    def sender_of(self, vault: str) -> Address | None:
        """Whose key signs; None for a vault that has no signer."""
        signer = self.kept[vault].custody.signer
        return self.signers[signer].address if signer else None

    def account_of(self, vault: str) -> Address:
        """Whose balances the vault keeps in line, or who calls for the upkeep."""
        found = self.kept[vault].custody.account or self.sender_of(vault)
        assert found is not None, "checked when the file was loaded"
        return found

    def signing_for(self, vault: str) -> Address:
        """Who sends for this vault: the signer's address, else the account itself, of which nobody has the key."""
        return self.sender_of(vault) or self.account_of(vault)

    def pool_address(self, vault: str, pool: PoolRef) -> Address:
        """Raises KeyError where nothing has that name."""
        if pool.address is not None:
            return pool.address
        own = {ref.name: ref.address for ref in self.kept[vault].pools if ref.address and ref.name}
        return own.get(pool.name) or self.chain_of(vault).pools[pool.name]

    def pools_of(self, vault: str) -> Mapping[Address, str]:
        """Address -> name (empty where it has none) of each pool that the vault may trade through."""
        return {self.pool_address(vault, pool): pool.name for pool in self.kept[vault].pools}

    def prices_of(self, vault: str) -> Mapping[str, PriceConfig]:
        """Symbol -> price rule: the vault's own before its chain's."""
        return self.kept[vault].prices_on(self.chain_of(vault).prices)

    def max_base_fee_of(self, vault: str) -> Wei:
        limit = self.kept[vault].guards.max_base_fee
        return self.chain_of(vault).fees.max_base_fee if limit is None else limit

    def gas_reserve_of(self, vault: str) -> Amount:
        return self.kept[vault].guards.gas_reserve_of(self.chain_of(vault).native.symbol)
