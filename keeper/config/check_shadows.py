"""Whether each shadow has a vault to stand beside."""

from __future__ import annotations

from collections.abc import Iterator

from keeper.config.faults import Fault, twice
from keeper.config.tree import Config


def shadows(config: Config) -> Iterator[Fault]:
    """A shadow stands beside the one vault of its account; nothing else shares an account."""
    accounts = (
        (("vaults", name, "custody"), (vault.chain, config.account_of(name)), name)
        for name, vault in config.vaults.items()
        if not vault.is_shadow
    )
    yield from twice(accounts, "one vault per account (a candidate beside it has mode: shadow)")
    for name, vault in config.vaults.items():
        if vault.is_shadow and config.original_of(name) == name:
            where = f"a vault of the same account {config.account_of(name)} to stand beside"
            yield Fault(("vaults", name, "mode"), where, "none")
