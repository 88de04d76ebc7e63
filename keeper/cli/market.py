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


def show_quote(path: Path, sell: str, buy: str, vault: str | None, *, json: bool) -> None:
    from keeper.app.quoting import quote_sale
    from keeper.config.units import amount
    from keeper.report.quote import quote_record, render_quote

    try:
        wanted = amount(sell)
    except ValueError as error:
        raise ConfigError("command", "--sell", str(error), sell) from None
    if wanted.whole <= 0:
        raise ConfigError("command", "--sell", "more than 0", sell)
    found = quote_sale(_open(path, vault), wanted, buy, vault)
    records = [quote_record(each.vault, each.chain, each.view, each.route, each.first) for each in found]
    if json:
        print_json(records)
        return
    out = console()
    for index, record in enumerate(records):
        if index:
            out.print()
        render_quote(record).show(out)


def _open(path: Path, vault: str | None) -> Loaded:
    from keeper.app.loading import open_config

    loaded = open_config(path)
    if vault is not None and vault not in loaded.config.vaults:
        raise ConfigError("command", "--vault", f"one of {', '.join(loaded.config.vaults)}", vault)
    return loaded
