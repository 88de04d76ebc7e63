"""The command line: every command in its panel, and what an exit code says.

Exit codes: 0 done · 1 a fault of the keeper's own · 2 the configuration or the command is wrong · 3 no node answers ·
4 the journal cannot be used · 5 something is halted and waits for a person.
"""

from __future__ import annotations

import sys
from typing import NoReturn

import typer

from keeper.cli.commands.app import app
from keeper.core.errors import KeeperError

# Each adds its commands to `app`, and the help shows them in this order.
# isort: off
from keeper.cli.commands import try_it, prove_it, run_it, at_night, understand_it
# isort: on

PANELS = (try_it, prove_it, run_it, at_night, understand_it)


def run() -> None:
    """Runs the command line; every failure becomes one masked line and an exit code."""
    try:
        sys.exit(app(prog_name="keeper", standalone_mode=False))
    except KeeperError as error:
        _die(str(error), error.exit_code)
    except typer.TyperException as error:
        _misused(error)
    except typer.Abort:
        _die("given up; nothing was done", 1)
    except BrokenPipeError:
        sys.stderr.close()  # the reader of our output left; nothing to say to it
        sys.exit(0)
    except Exception as error:  # noqa: BLE001  a person sees one line; the daemon has its own isolation
        _die(f"{type(error).__name__}: {error} (a fault of keeper's own: please report it)", 1)


def _misused(error: typer.TyperException) -> NoReturn:
    """A command that is none, or an option or argument that it does not take."""
    told: str = error.format_message() if isinstance(error, typer.BadParameter) else str(error)
    if not told:
        sys.exit(2)  # without a command: the help has been shown
    context = getattr(error, "ctx", None)
    where = context.command_path if context is not None else "keeper"
    # What was typed is not repeated, as a secret may be in it.
    command = where.removeprefix("keeper").strip()
    _die(f"{command}{': ' * bool(command)}{told[0].lower()}{told[1:].rstrip('.')}; see {where} --help", 2)


def _die(text: str, code: int) -> NoReturn:
    from keeper.telemetry.mask import mask

    sys.stderr.write(f"keeper: {mask(' '.join(text.split()))}\n")
    sys.exit(code)
