"""`keeper keys`: make one, show them, ask a file whose it is, and put one in the place of another."""

from __future__ import annotations

import signal
import sys
import threading
import warnings
from contextlib import suppress
from getpass import GetPassWarning, getpass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from keeper.core.errors import ConfigError

if TYPE_CHECKING:
    from keeper.app.rotation import Rotation

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)

TRIES = 3
"""How often a password is asked for."""
SHORTEST = 12
"""Letters of a password that a person chooses."""
POLL = 1.0
"""{s} Between two looks at what the old key still has on its way."""


@app.command()
def new(
    keystore: Annotated[Path, typer.Argument(help="The keystore to write: ops.json.", metavar="FILE")],
    password_file: Annotated[
        Path | None, typer.Option(help="Where its password goes; beside it by default.", metavar="FILE")
    ] = None,
    prompt: Annotated[bool, typer.Option("--prompt", help="Choose the password instead of a random one.")] = False,
) -> None:
    """Make a key: an encrypted keystore and its password file, both 0600, neither ever overwritten."""
    from keeper.chain.sending.keystores import create_keystore, make_password
    from keeper.chain.sending.private_files import write_private

    words = password_file or keystore.with_suffix(".password")
    if words == keystore:
        raise ConfigError("command", "--password-file", "another file than the keystore", str(words))
    for path in (keystore, words):
        if path.is_symlink() or path.exists():
            raise ConfigError(str(path), "keys", "a path that is free", "a file")
    password = _chosen() if prompt else make_password()
    write_private(words, password + b"\n", "keys")
    try:
        address = create_keystore(keystore, password)
    except BaseException:
        words.unlink()  # nothing was encrypted with it
        raise
    sys.stdout.write(f"{address}\n")
    sys.stderr.write(f'signers: {{NAME: {{keystore: {keystore}, password_file: {words}, address: "{address}"}}}}\n')


@app.command()
def address(
    keystore: Annotated[Path, typer.Argument(help="A keystore.", metavar="FILE")],
    prove: Annotated[bool, typer.Option("--prove", help="Ask for the password, and believe only the key.")] = False,
) -> None:
    """Print whose key a keystore holds. Asks for the password only where the file does not say it."""
    from keeper.chain.sending.keystores import read_keystore, written_address

    found = read_keystore(keystore, "keys")
    says = written_address(found)
    proven = _proven(found, keystore) if prove or says is None else says
    if says not in (None, proven):
        raise ConfigError(str(keystore), "address", f"{proven}, whose key it holds", str(says))
    sys.stdout.write(f"{proven}\n")


@app.command(name="list")
def list_(
    config: Annotated[Path, typer.Argument(help="The configuration file.", metavar="CONFIG")] = Path("keeper.yaml"),
    offline: Annotated[bool, typer.Option("--offline", help="Ask no chain.")] = False,
    json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Show the keys of a configuration: where each is held, who uses it, what it has, and whether it drains."""
    from keeper.app.keys import keys_record, list_keys
    from keeper.app.loading import open_config
    from keeper.cli.screen import console, print_json
    from keeper.report.keys import render_keys

    keys = list_keys(open_config(config, need_env=not offline), online=not offline)
    if json:
        print_json(keys_record(keys))
        return
    render_keys(keys).show(console())


@app.command()
def rotate(
    config: Annotated[Path, typer.Argument(help="The configuration file, with both signers.", metavar="CONFIG")],
    old: Annotated[str, typer.Argument(help="The signer that vaults use now.", metavar="OLD")],
    new: Annotated[str, typer.Argument(help="The signer that takes its place.", metavar="NEW")],
    reason: Annotated[str, typer.Option(help="Why; kept in the journal.")] = "",
) -> None:
    """Let one key finish and say what makes another take its place. Ctrl-C and asking again do no harm."""
    from keeper.app.dumps import forbid_dumps
    from keeper.app.loading import open_config
    from keeper.app.rotation import Rotation, waits_for
    from keeper.cli.asking import drain

    forbid_dumps()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    rotation = Rotation(open_config(config), old, new)
    for line in rotation.check_successor():
        _say(line)
    drain(rotation.loaded, rotation.sender, reason or f"{new} takes its place")
    told = ""
    while left := rotation.left():
        if (line := waits_for(left)) != told:
            _say(line)
            told = line
        _settle_here(config, rotation, stop)
        if stop.wait(POLL):
            _say("not waiting any longer; it goes on draining: ask again")
            raise typer.Exit(1)
    for line in rotation.require_idle():
        _say(line)
    for step, line in enumerate(rotation.next_steps(), 1):
        _say(f"{step}. {line}")


def _settle_here(path: Path, rotation: Rotation, stop: threading.Event) -> None:
    """Where no daemon has the journal, somebody must follow what is on its way: this command does."""
    from keeper.app.deployment import Deployment
    from keeper.app.journals import journal_url
    from keeper.app.loading import open_config
    from keeper.journal.lock import Busy
    from keeper.journal.sql import SqlJournal

    with suppress(Busy), SqlJournal(journal_url(rotation.loaded)) as journal:
        deployment = Deployment.open(open_config(path), journal, live=True)
        try:
            while rotation.left() and not stop.wait(POLL):
                for loop in deployment.loops:
                    loop.cycle.settle()
        finally:
            deployment.close()


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


# --- passwords: never shown, never on the command line ---------------------------------------------------------------


def _asked(question: str) -> str:
    """Raises ConfigError where there is no terminal: a password through a pipe stands in a history."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", GetPassWarning)  # it would echo
            return getpass(question)
    except (GetPassWarning, EOFError):
        raise ConfigError("command", question.rstrip(": "), "a terminal to ask for it", "none") from None


def _chosen() -> bytes:
    for _ in range(TRIES):
        first = _asked("password: ")
        if len(first) < SHORTEST:
            sys.stderr.write(f"at least {SHORTEST} letters\n")
        elif first != _asked("once more: "):
            sys.stderr.write("these were two different ones\n")
        else:
            return first.encode()
    raise ConfigError("command", "--prompt", f"a password within {TRIES} tries", "none")


def _proven(keystore: dict[str, object], path: Path) -> str:
    from keeper.chain.sending.keystores import proven_address

    for left in reversed(range(TRIES)):
        password = _asked("password: ").encode()
        try:
            return proven_address(keystore, password, path)
        except ConfigError as wrong:
            if not left:
                raise
            sys.stderr.write(f"{wrong.found}, {left} left\n")
    raise AssertionError("the last try returns or raises")
