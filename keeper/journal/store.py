"""The database behind a journal, opened for writing: one durable transaction at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from sqlalchemy import Connection, Engine

from keeper.core.errors import JournalError
from keeper.journal import schema
from keeper.journal.places import Place, place_of


def _nothing() -> None:
    pass


class Store:
    """The one writer of a journal.

    Guarantees: a transaction is durable when `writing` ends, or nothing of it is; a writer of an older epoch changes
    nothing; several threads may share it. A damaged, foreign or newer journal is refused and left as it is.
    """

    def __init__(self, url: str, now: int, on_lost: Callable[[], None] = _nothing) -> None:
        """Begins a journal where there is none. Raises JournalError where it must not or cannot be written."""
        self._place = place_of(url)
        self._mutex = threading.RLock()
        self._pen = self._place.take(now, on_lost)
        self._joint: Connection | None = None
        """Of the transaction that several writes are a part of."""
        self._is_torn = False
        """One of them failed."""

    @property
    def notes(self) -> tuple[str, ...]:
        return self._pen.notes

    @property
    def epoch(self) -> int:
        return self._pen.epoch

    def writing(self) -> AbstractContextManager[Connection]:
        """One transaction, durable when this ends. Raises JournalError where it could not be written."""
        return self._transaction(self._pen.writing)

    def reading(self) -> AbstractContextManager[Connection]:
        return self._transaction(self._pen.reading)

    @contextmanager
    def _transaction(self, begin: Callable[[], AbstractContextManager[Connection]]) -> Iterator[Connection]:
        """Of its own, or a part of the joint one, which a failure spoils: PostgreSQL would undo it at its end, and say
        nothing."""
        with self._mutex, self._place.errors(), nullcontext(self._joint) if self._joint else begin() as connection:
            try:
                yield connection
            except BaseException:
                self._is_torn = True
                raise

    @contextmanager
    def together(self) -> Iterator[None]:
        """What this thread writes within is one transaction, durable when this ends; nothing of it is where this
        raises. Raises JournalError where a part of it failed, even one whose error was caught."""
        with self.writing() as connection:
            assert self._joint is None, "one transaction is enough"
            self._joint, self._is_torn = connection, False
            try:
                yield
            finally:
                self._joint = None
            if self._is_torn:
                raise JournalError(f"journal {self._place.name}: a statement failed, and those around it with it")

    def version(self) -> object:
        """Equal to the last one as long as no other process has written; never, where that cannot be told."""
        with self._mutex, self._place.errors():
            return self._pen.version()

    def close(self) -> None:
        with self._mutex:
            self._pen.release()


def open_reader(url: str) -> tuple[Place, Engine]:
    """A read-only engine on a journal of the known schema. Raises JournalError where there is none."""
    place = place_of(url)
    return place, checked(place, place.open_reading())


def checked(place: Place, engine: Engine) -> Engine:
    """For whoever cannot migrate. Raises JournalError where the journal has any schema but the known one."""
    try:
        with place.errors(), place.for_reading(engine).connect() as connection:
            schema.check_current(schema.read_version(connection, place.name), place.name)
    except BaseException:
        engine.dispose()
        raise
    return engine
