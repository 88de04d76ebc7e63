"""What a person does when something is stuck or stopped."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from keeper.cli.commands.app import app
from keeper.cli.commands.arguments import DEFAULT, Config, ConfigOption, Json, Reason, Tx


@app.command(rich_help_panel="At three in the morning")
def txs(
    config: Config = DEFAULT,
    everything: Annotated[bool, typer.Option("--all", help="Every transaction, not only the latest.")] = False,
    json: Json = False,
) -> None:
    """Live and recent transactions: state, age, fees, attempts."""
    from keeper.cli.transactions import txs as run_txs

    run_txs(config, everything=everything, json=json)


@app.command(name="speed-up", rich_help_panel="At three in the morning")
def speed_up(
    tx: Tx, reason: Annotated[str, typer.Option(help="Why; kept in the journal.")] = "", config: ConfigOption = DEFAULT
) -> None:
    """Replace a live transaction now with one that offers more, up to the fee cap. Same nonce, same call."""
    from keeper.cli.asking import wish

    wish(config, "speed-up", tx, reason)


@app.command(rich_help_panel="At three in the morning")
def cancel(tx: Tx, reason: Reason, config: ConfigOption = DEFAULT) -> None:
    """Take a live transaction's nonce with a transfer of nothing. It may still lose the race: `txs` says which won."""
    from keeper.cli.asking import wish

    wish(config, "cancel", tx, reason)


@app.command(rich_help_panel="At three in the morning")
def halt(
    scope: Annotated[str, typer.Argument(help="A vault or a sender's address.")],
    reason: Reason,
    config: ConfigOption = DEFAULT,
) -> None:
    """Stop a vault or a sender until somebody has looked: only `clear` ends it."""
    from keeper.cli.asking import halt as run_halt

    run_halt(config, scope, reason)


@app.command(rich_help_panel="At three in the morning")
def clear(
    scope: Annotated[
        str, typer.Argument(help="A vault, a sender's address, or the number of a halt. Without it: what is halted.")
    ] = "",
    reason: Reason = "",
    adopt: Annotated[
        bool, typer.Option("--adopt", help="You account for every nonce of the sender that the journal cannot explain.")
    ] = False,
    config: ConfigOption = DEFAULT,
) -> None:
    """End a halt or a breaker; alone, list what stands. Who, when and why are kept."""
    if not scope:
        from keeper.cli.read import halts

        halts(config)
        return
    from keeper.cli.asking import clear as run_clear

    run_clear(config, scope, reason, adopt=adopt)


@app.command(rich_help_panel="At three in the morning")
def verify(
    config: Config = DEFAULT,
    everything: Annotated[bool, typer.Option("--all", help="A line for every nonce.")] = False,
    json: Json = False,
) -> None:
    """Explain every nonce that our keys ever used, from chain and journal. Exit 5 where one is not explained."""
    from keeper.cli.transactions import verify as run_verify

    run_verify(config, everything=everything, json=json)


@app.command(rich_help_panel="At three in the morning")
def backup(
    target: Annotated[Path, typer.Argument(help="A file that does not exist yet.", metavar="PATH")],
    config: ConfigOption = DEFAULT,
) -> None:
    """Copy the journal while the daemon runs."""
    from keeper.cli.transactions import backup as run_backup

    run_backup(config, target)
