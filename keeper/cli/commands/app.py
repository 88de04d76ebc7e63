"""The application that every command belongs to."""

from __future__ import annotations

from typing import Annotated

import typer

from keeper import __version__

app = typer.Typer(
    name="keeper",
    help="Keeps on-chain vaults where they should be, and shows why it did or did not trade.",
    epilog="Exit codes: 0 done, 1 keeper fault, 2 configuration, 3 no node answers, 4 journal, 5 halted.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"keeper {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    del version
