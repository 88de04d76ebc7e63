"""What runs, what stops it, and who is told."""

from __future__ import annotations

from typing import Annotated

import typer

from keeper.cli import keys
from keeper.cli.commands.app import app
from keeper.cli.commands.arguments import DEFAULT, Adopt, ChainIds, Config, ConfigOption, Json, Live

app.add_typer(keys.app, name="keys", help="Make, show and change the keys that sign.", rich_help_panel="Run it")


@app.command(rich_help_panel="Run it")
def once(config: Config = DEFAULT, live: Live = False, chain_id: ChainIds = None, adopt: Adopt = False) -> None:
    """One cycle for every vault, journaled; with --live it follows what it sends until it is confirmed."""
    from keeper.cli.operate import once as run_once

    run_once(config, live=live, chain_ids=chain_id, adopt=adopt)


@app.command(name="run", rich_help_panel="Run it")
def run_(config: Config = DEFAULT, live: Live = False, chain_id: ChainIds = None, adopt: Adopt = False) -> None:
    """The daemon. Ctrl-C and SIGTERM let it finish the step in hand."""
    from keeper.cli.operate import run as run_daemon

    run_daemon(config, live=live, chain_ids=chain_id, adopt=adopt)


@app.command(rich_help_panel="Run it")
def pause(
    vault: Annotated[str, typer.Argument(help="A vault, or '*' for all.")],
    reason: Annotated[str, typer.Option(help="Why; kept in the journal.")],
    config: ConfigOption = DEFAULT,
) -> None:
    """Stop a vault from trading. The daemon honours it before it signs and again before it sends."""
    from keeper.cli.asking import switch

    switch(config, "pause", vault, reason)


@app.command(rich_help_panel="Run it")
def resume(
    vault: Annotated[str, typer.Argument(help="A vault, or '*' for all.")],
    reason: Annotated[str, typer.Option(help="Why; kept in the journal.")] = "",
    config: ConfigOption = DEFAULT,
) -> None:
    """Lift a pause. What is halted stays so until `clear`."""
    from keeper.cli.asking import switch

    switch(config, "resume", vault, reason)


@app.command(rich_help_panel="Run it")
def proposals(
    config: Config = DEFAULT,
    everything: Annotated[bool, typer.Option("--all", help="What became of the latest ones, too.")] = False,
    json: Json = False,
) -> None:
    """What waits for the signatures of a Safe's owners: hash, files, and until when."""
    from keeper.cli.proposals import proposals as run_proposals

    run_proposals(config, everything=everything, json=json)


@app.command(rich_help_panel="Run it")
def alert(
    config: Config = DEFAULT,
    test: Annotated[bool, typer.Option("--test", help="Send a test to every target.")] = False,
) -> None:
    """Say who is told of trouble; with --test tell them, and say which of them took it."""
    from keeper.cli.alert import alert as run_alert

    run_alert(config, test=test)
