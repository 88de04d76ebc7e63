"""What makes it turn and what makes it stop: once, run, pause, resume."""

from __future__ import annotations

import getpass
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from rich.text import Text

from keeper import daemon
from keeper.app.deployment import Deployment
from keeper.app.journals import has_journal, journal_url
from keeper.app.loading import open_config
from keeper.cli.screen import console
from keeper.core.errors import ConfigError, Halted, JournalError, Unreachable
from keeper.cycle import Turn
from keeper.daemon import ChainLoop
from keeper.journal.commands import RequestBox
from keeper.journal.lock import Busy
from keeper.journal.sql import SqlJournal
from keeper.telemetry.logs import configure, logger

PATIENCE = 30.0
"""{s} How long a command waits for the daemon to answer."""


@contextmanager
def _opened(path: Path, live: bool, chain_ids: Sequence[int] | None) -> Iterator[Deployment]:
    loaded = open_config(path)
    configure(loaded.config.telemetry.log_level, as_json=loaded.config.telemetry.as_json)
    log = logger("start")
    for warning in loaded.warnings:
        log.warning("config", text=warning)
    with SqlJournal(journal_url(loaded), sample_every=loaded.config.journal.sample) as journal:
        for note in journal.notes:
            log.info("journal", text=note)
        journal.keep_config(loaded.hash, loaded.canonical)
        deployment = Deployment.open(loaded, journal, live=live, chain_ids=chain_ids or ())
        for chain, error in deployment.down.items():
            log.warning("chain is down", chain=chain, text=str(error))
        for line in deployment.introduction():
            log.info("armed" if live else "dry", text=line)
        try:
            yield deployment
        finally:
            deployment.close()


def run(path: Path, *, live: bool, chain_ids: Sequence[int] | None) -> None:
    """Until SIGTERM or Ctrl-C; then the step in hand is finished and nothing is half written."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with _opened(path, live, chain_ids) as deployment:
        daemon.run(deployment.loops, stop, deployment.retry)
    logger("stop").info("stopped")


def once(path: Path, *, live: bool, chain_ids: Sequence[int] | None) -> None:
    """One cycle for every vault. Live, it follows what it sent until that is confirmed, and then stops."""
    with _opened(path, live, chain_ids) as deployment:
        if deployment.down:
            raise Unreachable("; ".join(str(error) for error in deployment.down.values()))
        turns = [turn for loop in deployment.loops for turn in _all(loop)]
        for loop in deployment.loops:
            _follow(loop)
        out = console()
        for turn in turns:
            for line in _told(turn, deployment.journal):
                out.print(Text(line), soft_wrap=True)
        if any(turn.record.code == "halted" for turn in turns):
            raise Halted("a vault is halted: keeper status")


def _told(turn: Turn, journal: SqlJournal) -> Iterator[str]:
    record, intent = turn.record, turn.intent
    word = {"dry": f"would {record.code}", "intended": record.code}.get(record.kind, record.kind)
    yield f"{record.vault}: {word}: {record.reason}"
    if intent is not None:
        # What is final is not looked after any more, so the journal does not name it here.
        found = next((now for now in journal.live(record.chain_id) if now.id == intent.id), None)
        block = f" in block {found.mined.block_number:,}" if found and found.mined else ""
        state = found.state.value if found else "final"
        yield f"  {intent.attempts[-1].hash if intent.attempts else '–'}  nonce {intent.nonce}  {state}{block}"


def _all(loop: ChainLoop) -> list[Turn]:
    """Every vault of the chain, whatever its schedule. Raises where the chain cannot be read."""
    turns = []
    for turn in loop.cycle.turn(list(loop.schedules)):
        loop.note(turn)
        turns.append(turn)
    loop.teller.ticked(loop.chain, turns)
    return turns


def _follow(loop: ChainLoop) -> None:
    while loop.cycle.settle():
        time.sleep(min(loop.block_time, 2.0))


def ask(path: Path, action: str, vault: str, reason: str) -> None:
    """Writes the request, and waits for the daemon to answer; without a daemon, answers it here and now."""
    loaded = open_config(path, need_env=False)
    if vault != "*" and vault not in loaded.config.vaults:
        raise ConfigError("command", "VAULT", f"one of {', '.join(loaded.config.vaults)}, or '*'", vault)
    if not has_journal(loaded):
        with suppress(Busy):  # a daemon that begins it at this moment
            SqlJournal(journal_url(loaded)).close()
    with RequestBox(journal_url(loaded)) as box:
        number = box.ask(action, vault, reason, getpass.getuser())
        try:
            journal = SqlJournal(journal_url(loaded))
        except Busy:
            sys.stdout.write(f"{_awaited(box, number)}\n")
            return
        with journal:
            for request in journal.requests():
                journal.answer(request.id, journal.apply(request))
        sys.stdout.write(f"{box.result(number)}\n")


def _awaited(box: RequestBox, number: int) -> str:
    """What the daemon answers, if it does."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if (answer := box.result(number)) is not None:
            return answer
        time.sleep(0.1)
    raise JournalError(f"request {number} is written, but the daemon did not answer within {PATIENCE:.0f} s")
