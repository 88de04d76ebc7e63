"""What makes it turn: once and run."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.text import Text

from keeper import daemon
from keeper.app.deployment import Deployment
from keeper.app.dumps import forbid_dumps
from keeper.app.journals import journal_url
from keeper.app.loading import open_config
from keeper.app.starting import kept_run
from keeper.cli.screen import console
from keeper.config import Loaded
from keeper.core.errors import ConfigError, Halted, JournalError, Unreachable
from keeper.cycle import Turn
from keeper.daemon import ChainLoop
from keeper.journal.lock import Leased
from keeper.journal.sql import SqlJournal
from keeper.telemetry.logs import configure, logger

STAND_BY = 2.0
"""{s} Between two looks at whether another keeper still has the journal."""


def _prepared(path: Path, *, live: bool, adopt: bool) -> Loaded:
    if adopt and not live:
        raise ConfigError("command", "--adopt", "--live beside it: what signs nothing uses no nonce", "--adopt alone")
    if live:
        forbid_dumps()
    loaded = open_config(path)
    configure(loaded.config.telemetry.log_level, as_json=loaded.config.telemetry.as_json)
    for warning in loaded.warnings:
        logger("start").warning("config", text=warning)
    return loaded


@contextmanager
def _opened(
    loaded: Loaded, journal: SqlJournal, live: bool, chain_ids: Sequence[int] | None, adopt: bool
) -> Iterator[Deployment]:
    log = logger("start")
    for note in journal.notes:
        log.info("journal", text=note)
    journal.keep_config(loaded.hash, loaded.canonical)
    deployment = Deployment.open(loaded, journal, live=live, chain_ids=chain_ids or (), adopt=adopt)
    for chain, error in deployment.down.items():
        log.warning("chain is down", chain=chain, text=str(error))
    for line in deployment.introduction():
        log.info("armed" if live else "dry", text=line)
    try:
        yield deployment
    finally:
        deployment.close()


def run(path: Path, *, live: bool, chain_ids: Sequence[int] | None, adopt: bool = False) -> None:
    """Until SIGTERM or Ctrl-C; then the step in hand is finished and nothing is half written."""
    stop, lost = threading.Event(), threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())

    def stand_down() -> None:
        lost.set()
        stop.set()

    loaded = _prepared(path, live=live, adopt=adopt)
    if (journal := _stand_by(loaded, stop, stand_down)) is not None:
        with journal, kept_run(loaded, journal, stop, live=live):
            if not stop.is_set():
                with _opened(loaded, journal, live, chain_ids, adopt) as deployment:
                    daemon.run(deployment.loops, stop, deployment.retry)
    if lost.is_set():
        raise JournalError("journal: another keeper took over while this one was silent; this one has stopped")
    logger("stop").info("stopped")


def _stand_by(loaded: Loaded, stop: threading.Event, on_lost: Callable[[], None]) -> SqlJournal | None:
    """The journal, as soon as no other keeper's lease on it runs; None where this one is stopped before that.

    Raises Busy at once where the journal is a file: its lock does not end by itself.
    """
    told = False
    while True:
        try:
            return SqlJournal(journal_url(loaded), sample_every=loaded.config.journal.sample, on_lost=on_lost)
        except Leased as leased:
            if not told:
                logger("start").info("standing by", text=str(leased))
            told = True
        if stop.wait(STAND_BY):
            return None


def once(path: Path, *, live: bool, chain_ids: Sequence[int] | None, adopt: bool = False) -> None:
    """One cycle for every vault. Live, it follows what it sent until that is confirmed, and then stops."""
    loaded = _prepared(path, live=live, adopt=adopt)
    journal = SqlJournal(journal_url(loaded), sample_every=loaded.config.journal.sample)
    with journal, _opened(loaded, journal, live, chain_ids, adopt) as deployment:
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
    does = {"upkeep": "call"}.get(record.code, record.code)
    word = {"dry": f"would {does}", "intended": does}.get(record.kind, record.kind)
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
