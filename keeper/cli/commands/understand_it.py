"""What happened, and why."""

from __future__ import annotations

from typing import Annotated

import typer

from keeper.cli.commands.app import app
from keeper.cli.commands.arguments import DEFAULT, All, Config, ConfigOption, Json


@app.command(rich_help_panel="Understand it")
def status(
    config: Config = DEFAULT,
    watch: Annotated[bool, typer.Option("--watch", help="Keep it live until Ctrl-C.")] = False,
    json: Json = False,
) -> None:
    """The vaults as a table: where they stand, what they wait for, when they look next."""
    from keeper.cli.read import status as run_status

    run_status(config, watch=watch, json=json)


@app.command(rich_help_panel="Understand it")
def explain(
    cycle: Annotated[int | None, typer.Argument(help="A cycle's number; the latest by default.")] = None,
    vault: Annotated[str | None, typer.Option(help="The latest cycle of this vault.")] = None,
    config: ConfigOption = DEFAULT,
    all_: All = False,
    json: Json = False,
) -> None:
    """Tell in sentences why a cycle did what it did."""
    from keeper.cli.read import explain as run_explain

    run_explain(config, cycle, vault, all_guards=all_, json=json)


@app.command(rich_help_panel="Understand it")
def replay(
    cycle: Annotated[int | None, typer.Argument(help="One cycle's number; all that are kept by default.")] = None,
    vault: Annotated[str | None, typer.Option(help="Only this vault.")] = None,
    since: Annotated[str | None, typer.Option(help="Day or time in UTC: 2026-11-01.")] = None,
    config: ConfigOption = DEFAULT,
    json: Json = False,
) -> None:
    """Make recorded decisions again, offline: byte for byte, or as another configuration would have decided."""
    from keeper.cli.repeat import replay as run_replay

    run_replay(config, cycle, vault, since, json=json)


@app.command(rich_help_panel="Understand it")
def history(
    config: Config = DEFAULT,
    vault: Annotated[str | None, typer.Option(help="Only this vault.")] = None,
    start: Annotated[str | None, typer.Option("--from", help="Day or time in UTC: 2026-11-01.")] = None,
    end: Annotated[str | None, typer.Option("--to", help="Day or time in UTC, exclusive.")] = None,
    csv: Annotated[bool, typer.Option("--csv", help="For spreadsheets.")] = False,
    json: Json = False,
) -> None:
    """Every trade: hash, amounts, value at its block, gas and cost by part."""
    from keeper.cli.read import history as run_history

    run_history(config, vault, start, end, csv=csv, json=json)


@app.command(rich_help_panel="Understand it")
def health(config: Config = DEFAULT) -> None:
    """Exit 0 while every chain ticks, 1 when one has stopped. For HEALTHCHECK."""
    from keeper.cli.read import health as run_health

    run_health(config)
