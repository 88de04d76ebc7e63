"""A journal that is open for writing: when it was opened and runs, and what people switch and breakers latch in it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from sqlalchemy import Connection, and_, insert, select, update

from keeper.core.latches import Latch, Trip
from keeper.core.records import PauseState, Request
from keeper.core.runs import Run
from keeper.journal import commands, latches, rules, runs
from keeper.journal.epoch import claim
from keeper.journal.marks import Mark, Marks
from keeper.journal.places import place_of
from keeper.journal.standing import Standing, read_standing
from keeper.journal.store import Store
from keeper.journal.tables import beats, requests

HOUR = 3_600


def _system_time() -> int:
    return int(time.time())


def _nothing() -> None:
    pass


class OpenJournal:
    """What SqlJournal is made upon; each method is one durable transaction, or a part of one (`together`)."""

    def __init__(
        self,
        url: str,
        *,
        now: Callable[[], int] = _system_time,
        sample_every: int = HOUR,
        on_lost: Callable[[], None] = _nothing,
        fork: bool = False,
    ) -> None:
        """Opens `sqlite:///path` or `postgresql://…` for writing, or begins it. `now` dates what has no time of its
        own; `sample_every` is in seconds; `on_lost` hears, on another thread, that another keeper took over.
        `fork`: what happens here happens on a fork. Raises JournalError."""
        self._store = Store(url, now(), on_lost)
        try:
            with self._store.writing() as connection:
                claim(connection, place_of(url).name, self._store.epoch, fork=fork)
        except BaseException:
            self._store.close()
            raise
        self._now, self._every = now, sample_every
        self._mutex = threading.RLock()
        # What was read or written before and cannot have changed since: see marks.py.
        self._marks = Marks()
        self._version: object = None
        """Of the database when it was last looked at what others have asked for."""
        self._unasked: object = None
        """When nothing was, that is not answered."""
        self._standing: Standing | None = None
        self._paused: tuple[Mark, dict[str, PauseState | None]] = ((0, 0, 0), {})
        self._begin()

    def _begin(self) -> None:
        """What else is remembered, and not known yet."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What opening it did that an operator should know, such as a migration."""
        return self._store.notes

    @property
    def epoch(self) -> int:
        return self._store.epoch

    def close(self) -> None:
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def together(self) -> Iterator[None]:
        """What this thread writes within is durable when this ends, all of it, or nothing where it raises. Raises
        JournalError where a part of it failed, even one whose error was caught."""
        with self._remembering(), self._store.together():
            yield

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        """A write of which something is remembered."""
        with self._remembering(), self._store.writing() as connection:
            yield connection

    @contextmanager
    def _remembering(self) -> Iterator[None]:
        with self._mutex:
            try:
                yield
            except BaseException:
                self._forget()
                raise

    def _forget(self) -> None:
        """What was written did not last, nor did what was read within."""
        self._standing = None
        self._paused = ((0, 0, 0), {})

    def beat(self, chain_id: int, now: int, block: int, text: str) -> None:
        values = {"at": now, "block_number": block, "text": text}
        with self._store.writing() as connection:
            if connection.execute(update(beats).where(beats.c.chain_id == chain_id).values(values)).rowcount == 0:
                connection.execute(insert(beats).values(chain_id=chain_id, **values))

    def begin_run(self, waited: int) -> int:
        """The daemon acts from now on, after a wait of so many seconds. Returns the run's number."""
        with self._store.writing() as connection:
            return runs.begin_run(connection, waited, self._now())

    def end_run(self, number: int) -> None:
        """It ends itself; a run without this has died."""
        with self._store.writing() as connection:
            runs.end_run(connection, number, self._now())

    def runs(self) -> tuple[Run, ...]:
        """The latest first."""
        with self._store.reading() as connection:
            return runs.read_runs(connection)

    # --- what people switch, and what the keeper latches -------------------------------------------------------------

    def halt(self, scope: str, reason: str, now: int) -> None:
        """Latches until `clear`. Saying the same again changes nothing."""
        with self._switching() as connection:
            commands.halt(connection, scope, reason, now)

    def latch(self, vault: str, trips: Sequence[Trip], now: int) -> None:
        """Takes the vault's breakers a step on: latches what tripped, lets go of what has rested (Unix seconds)."""
        with self._switching(vault) as connection:
            latches.latch(connection, vault, trips, now)

    def latches(self, vault: str) -> tuple[Latch, ...]:
        """What the vault's breakers have latched, or try."""
        return self._stands().latches.get(vault, ())

    def halted(self, scope: str) -> str:
        """Why `scope` (a vault or a sender) is halted, or an empty string."""
        return self._stands().halted.get(scope, "")

    @property
    def standing(self) -> Standing:
        """Every halt and latch at once."""
        return self._stands()

    def _stands(self) -> Standing:
        with self._mutex:
            if self._standing is None:
                with self._store.reading() as connection:
                    self._standing = read_standing(connection)
            return self._standing

    def clear(self, scope: str, by: str, reason: str) -> int:
        """Ends every halt of `scope`, a vault, a sender or a halt's number. Returns how many there were."""
        with self._switching() as connection:
            return commands.clear(connection, scope, by, reason, self._now())

    @contextmanager
    def _switching(self, vault: str | None = None) -> Iterator[Connection]:
        """A write after which one vault, or any, may be free to act or not."""
        with self._mutex:
            self._standing = None
            if vault is None:
                self._marks.touch_all()
            else:
                self._marks.touch(vault)
            try:
                with self._store.writing() as connection:
                    yield connection
            finally:
                self._standing = None

    def paused(self, vault: str) -> PauseState | None:
        """A pause, or a request for one that is not answered yet: it counts from the moment it was asked for."""
        with self._mutex:
            self._look()
            mark, known = self._paused
            if mark == self._marks.of("") and vault in known:
                return known[vault]
            with self._store.reading() as connection:
                return self._pause_of(connection, vault)

    def _look(self) -> None:
        """At what others have asked for, where anybody has written anything."""
        version = self._store.version()
        if version != self._version:
            with self._store.reading() as connection:
                self._marks.look(connection)
            self._version = version

    def _pause_of(self, connection: Connection, vault: str) -> PauseState | None:
        self._marks.look(connection)
        mark = self._marks.of("")
        if mark != self._paused[0]:
            self._paused = mark, {}
        known = self._paused[1]
        if vault not in known:
            known[vault] = commands.read_pause(connection, vault)
        return known[vault]

    def requests(self) -> Sequence[Request]:
        with self._mutex:
            version = self._store.version()
            if version == self._unasked:
                return ()
            with self._store.reading() as connection:
                found = commands.read_requests(connection)
            self._unasked = None if found else version
            return found

    def answer(self, request: int, text: str) -> None:
        """The first answer stands: each chain's loop honours requests, and two may do so at once."""
        with self._store.writing() as connection:
            if not connection.execute(select(requests.c.id).where(requests.c.id == request)).first():
                raise rules.not_found("request", request)
            self._marks.touch_all()
            open_one = and_(requests.c.id == request, requests.c.answer.is_(None))
            connection.execute(update(requests).where(open_one).values(answer=text, answered_at=self._now()))

    def apply(self, request: Request) -> str:
        """Does what a pause, resume, halt, clear or adopt request asks. Says what it did; answering is apart.

        Raises JournalError for any other action: those need more than a journal.
        """
        with self._switching() as connection:
            return commands.apply(connection, request, self._now())
