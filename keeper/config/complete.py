"""Limits that a vault takes over from its chain, written into its guards: every effective value is in the tree."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from keeper.config.paths import dotted
from keeper.config.tree import Config


def complete(config: Config) -> Config:
    """The same config, with no guard left that must look its limit up elsewhere."""
    vaults = {}
    for name, vault in config.vaults.items():
        limits = {"max_base_fee": config.max_base_fee_of(name), "gas_reserve": config.gas_reserve_of(name)}
        vaults[name] = vault.model_copy(update={"guards": vault.guards.model_copy(update=limits)})
    return config.model_copy(update={"vaults": MappingProxyType(vaults)})


def inherited(config: Config, origins: Mapping[str, str]) -> dict[str, str]:
    """Origins of what was taken over: those of the chain's own values."""
    found = {}
    for name, vault in config.vaults.items():
        own = dotted(("vaults", name, "guards", "max_base_fee"))
        if origins[own] == "default":
            found[own] = origins[dotted(("chains", vault.chain, "fees", "max_base_fee"))]
    return found
