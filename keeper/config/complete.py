"""What follows from other values, written where it belongs: every effective value is in the tree."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from keeper.config.paths import dotted
from keeper.config.tree import Config


def complete(config: Config) -> Config:
    """The same config, with nothing left that must be looked up elsewhere."""
    vaults = {}
    for name, vault in config.vaults.items():
        limits = {"max_base_fee": config.max_base_fee_of(name), "gas_reserve": config.gas_reserve_of(name)}
        guards, schedule = vault.guards.model_copy(update=limits), vault.schedule
        if schedule.cron is None:
            schedule = schedule.model_copy(update={"every": schedule.look})
        vaults[name] = vault.model_copy(update={"guards": guards, "schedule": schedule})
    return config.model_copy(update={"vaults": MappingProxyType(vaults)})


def inherited(config: Config, origins: Mapping[str, str]) -> dict[str, str]:
    """Origins of what was taken over: those of the chain's own values."""
    found = {}
    for name, vault in config.vaults.items():
        own = dotted(("vaults", name, "guards", "max_base_fee"))
        if origins[own] == "default":
            found[own] = origins[dotted(("chains", vault.chain, "fees", "max_base_fee"))]
    return found
