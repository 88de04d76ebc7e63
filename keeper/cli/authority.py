"""What a thief of a key could take; and the transactions of a Safe that give a key its role, or take it away."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from keeper.app.loading import open_config
from keeper.cli.screen import console, print_json
from keeper.core.calls import Inner
from keeper.core.errors import ConfigError
from keeper.custody.batch_file import batch_file

if TYPE_CHECKING:
    from keeper.app.authority import Exposure
    from keeper.app.granting import Role
    from keeper.config import Loaded


def authority(path: Path, vault: str | None, *, json: bool) -> None:
    """Exit 2 where a vault could lose more than its `max_authority`."""
    from keeper.report.authority import authority_record, render_authority

    loaded = _open(path, vault)
    found = _look(loaded, vault)
    if json:
        print_json([authority_record(each) for each in found])
    else:
        render_authority(found, _next(path, found)).show(console())
    if any(each.limit is not None and not each.is_within for each in found):
        sys.exit(2)


def grant(path: Path, vault: str | None) -> None:
    """The file for the Safe's Transaction Builder, on standard output."""
    from keeper.app.granting import open_role

    role = open_role(*_with_role(path, vault))
    _write(role, role.give(), "grant", "gives the key exactly what the configuration needs")


def revoke(path: Path, vault: str | None) -> None:
    """As `grant`, the other way round."""
    from keeper.app.granting import open_role

    role = open_role(*_with_role(path, vault), only_to_take=True)
    _write(role, role.take(), "revoke", "takes the key's role away, and what it rested on")


def diff(path: Path, vault: str | None) -> None:
    """Exit 2 where the chain's role is not the configuration's."""
    from keeper.app.granting import open_role
    from keeper.cli.prove import show_findings

    found = list(open_role(*_with_role(path, vault)).compare())
    show_findings(found)
    if not all(finding.ok for finding in found):
        sys.exit(2)


def _with_role(path: Path, vault: str | None) -> tuple[Loaded, str]:
    loaded = _open(path, vault)
    names = [name for name, body in loaded.config.vaults.items() if body.custody.kind == "roles"]
    if vault is None and len(names) != 1:
        raise ConfigError("command", "--vault", f"one of {', '.join(names) or 'the vaults in a role'}", "none")
    return loaded, vault or names[0]


def _write(role: Role, calls: Sequence[Inner], word: str, told: str) -> None:
    grant, chain_id = role.grant, role.chain.config.chain_id
    name, description = f"keeper: {word} {role.vault}", f"{told}: {role.vault}, key {grant.key}"
    print_json(batch_file(chain_id, grant.safe, calls, name=name, description=description, at=int(time.time())))


def _open(path: Path, vault: str | None) -> Loaded:
    loaded = open_config(path)
    if vault is not None and vault not in loaded.config.vaults:
        raise ConfigError("command", "--vault", f"one of {', '.join(loaded.config.vaults)}", vault)
    return loaded


def _look(loaded: Loaded, only: str | None) -> list[Exposure]:
    from keeper.app.authority import look
    from keeper.app.chains import Chain

    wanted = [name for name in loaded.config.vaults if only in (None, name)]
    found = []
    for chain in dict.fromkeys(loaded.config.vaults[name].chain for name in wanted):
        opened = Chain.open(loaded, chain)
        found += look(opened, [name for name in wanted if name in opened.vaults])
    return found


def _next(path: Path, found: list[Exposure]) -> list[str]:
    roles = next((each.vault for each in found if each.custody == "roles"), None)
    if roles is None:
        return [f"keeper check {path}"]
    return [f"keeper authority {path} --vault {roles} {option}" for option in ("--diff", "--grant", "--revoke")]
