"""What follows from other values, written where it belongs: every effective value is in the tree."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from keeper.config.paths import dotted
from keeper.config.tree import Config
from keeper.config.upkeeps import UpkeepGuardsConfig


def complete(config: Config) -> Config:
    """The same config, with nothing left that must be looked up elsewhere."""
    vaults = {name: vault.model_copy(update=_limits(config, name)) for name, vault in config.vaults.items()}
    upkeeps = {name: upkeep.model_copy(update=_limits(config, name)) for name, upkeep in config.upkeeps.items()}
    return config.model_copy(update={"vaults": MappingProxyType(vaults), "upkeeps": MappingProxyType(upkeeps)})


def _limits(config: Config, name: str) -> dict[str, object]:
    kept = config.kept[name]
    limits: dict[str, object] = {
        "max_base_fee": config.max_base_fee_of(name),
        "gas_reserve": config.gas_reserve_of(name),
    }
    if isinstance(kept.guards, UpkeepGuardsConfig):
        limits["max_gas_per_day"] = kept.guards.max_gas_per_day_of(config.chain_of(name).native.symbol)
    schedule = kept.schedule
    if schedule.cron is None:
        schedule = schedule.model_copy(update={"every": schedule.look})
    return {"guards": kept.guards.model_copy(update=limits), "schedule": schedule}


def inherited(config: Config, origins: Mapping[str, str]) -> dict[str, str]:
    """Origins of what was taken over: those of the chain's own values."""
    found = {}
    for name, kept in config.kept.items():
        own = dotted((*config.place_of(name), "guards", "max_base_fee"))
        if origins[own] == "default":
            found[own] = origins[dotted(("chains", kept.chain, "fees", "max_base_fee"))]
    return found
