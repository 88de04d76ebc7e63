"""What pools would give now, without a vault wanting anything: `quote` and `pools`."""

from __future__ import annotations

from pathlib import Path

from keeper.cli.screen import console, print_json
from keeper.config import Loaded
from keeper.core.errors import ConfigError


def show_pools(path: Path, vault: str | None, *, json: bool) -> None:
    from keeper.app.pools import look_at_pools
    from keeper.report.pools import pools_record, render_pools

    found = list(look_at_pools(_open(path, vault), vault))
    if json:
        print_json([pools_record(each) for each in found])
        return
    out = console()
    for index, each in enumerate(found):
        if index:
            out.print()
        render_pools(each).show(out)


def _open(path: Path, vault: str | None) -> Loaded:
    from keeper.app.loading import open_config

    loaded = open_config(path)
    if vault is not None and vault not in loaded.config.vaults:
        raise ConfigError("command", "--vault", f"one of {', '.join(loaded.config.vaults)}", vault)
    return loaded
