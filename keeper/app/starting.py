"""A start after several that died waits: tells people, listens to them, follows what is on its way, signs nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress

from keeper.app.alerting import open_alerts
from keeper.app.following import following
from keeper.chain.sending.wishes import ACTIONS
from keeper.config import Loaded
from keeper.core import text
from keeper.core.errors import JournalError, KeeperError
from keeper.core.runs import count_deaths, wait_after
from keeper.journal.sql import SqlJournal

LISTEN = 1.0
"""{s} Between two looks at what people ask for."""


@contextmanager
def kept_run(loaded: Loaded, journal: SqlJournal, stop: threading.Event, *, live: bool = False) -> Iterator[None]:
    """The wait, then one run as the journal knows it. An error that keeper itself tells ends a run; anything else, and
    a process that is killed, leaves it without an end. A run that is not `live` follows nothing, as ever."""
    waited = _wait(loaded, journal, stop, live)
    number = None if stop.is_set() else journal.begin_run(waited)
    try:
        yield
    except KeeperError:
        _end(journal, number)
        raise
    _end(journal, number)


def _wait(loaded: Loaded, journal: SqlJournal, stop: threading.Event, live: bool) -> int:
    """{s} For how long it was to wait. Ends at once where `stop` is set."""
    deaths = count_deaths(journal.runs(), int(time.time()))
    seconds = wait_after(deaths)
    if not seconds:
        return 0
    said = f"the keeper died {deaths} times in a row soon after its start: it waits {text.duration(seconds)} before it"
    until = time.monotonic() + seconds
    with open_alerts(loaded) as alerts, following(loaded, journal, alerts, stop) if live else nullcontext():
        alerts.alert("crash-loop", f"{said} decides again, and signs nothing meanwhile")
        while (left := until - time.monotonic()) > 0 and not stop.wait(min(LISTEN, left)):
            _listen(journal)
    return seconds


def _listen(journal: SqlJournal) -> None:
    """Pauses, halts and the like; what concerns a transaction stays asked until this keeper acts."""
    for request in journal.requests():
        if request.action not in ACTIONS:
            try:
                done = journal.apply(request)
            except JournalError as error:
                done = str(error)
            journal.answer(request.id, done)


def _end(journal: SqlJournal, number: int | None) -> None:
    if number is not None:
        with suppress(JournalError):  # another keeper has taken over: the run counts as dead, which it was to that one
            journal.end_run(number)
