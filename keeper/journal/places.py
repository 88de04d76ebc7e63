"""Where a journal can be, an SQLite file or a PostgreSQL database, and what both can be asked for."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

from sqlalchemy import Connection, Engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from keeper.core.errors import JournalError

KNOWN = ("sqlite", "postgresql")


class Pen(Protocol):
    """The right to write a journal, held by one process at a time. Used by one thread at a time."""

    epoch: int
    notes: tuple[str, ...]
    """What opening it did that an operator should know."""

    def writing(self) -> AbstractContextManager[Connection]:
        """One transaction, committed when this ends. Raises JournalError where another writer has opened the journal
        since; else keeps it out until then."""
        ...

    def reading(self) -> AbstractContextManager[Connection]:
        """One moment of the journal."""
        ...

    def version(self) -> object:
        """Equal to the last one as long as nobody else has written; never, where that cannot be told."""
        ...

    def release(self) -> None: ...


class Place(Protocol):
    """One journal's place. Its `name` stands in messages: it holds no password."""

    name: str

    def exists(self) -> bool:
        """Whether a journal was begun here. Raises JournalError where that cannot be told."""
        ...

    def take(self, now: int, on_lost: Callable[[], None]) -> Pen:
        """Begins the journal where there is none, and migrates an older one. Raises Busy where another writer has it,
        JournalError where it must not be written. `on_lost` is called, once, from another thread, where somebody else
        took over."""
        ...

    def open_reading(self) -> Engine:
        """Raises JournalError where there is no journal."""
        ...

    def open_asking(self) -> Engine:
        """For request rows, beside the writer. Raises JournalError where there is no journal to write to."""
        ...

    def for_reading(self, engine: Engine) -> Engine:
        """The same engine, whose transactions take no write lock and see one moment."""
        ...

    def errors(self) -> AbstractContextManager[None]:
        """What the database says becomes one line of JournalError, without statements, values and passwords."""
        ...


def place_of(url: str) -> Place:
    """Raises JournalError for a URL of anything else."""
    try:
        kind = make_url(url).get_backend_name()
    except ArgumentError:
        raise JournalError("journal: expected a URL such as sqlite:///keeper.db") from None
    if kind == "sqlite":
        from keeper.journal.sqlite_file import SqliteFile

        return SqliteFile(url)
    if kind in ("postgresql", "postgres"):
        from keeper.journal.postgres import PostgresDatabase

        return PostgresDatabase(url)
    raise JournalError(f"journal: expected a URL of {' or '.join(KNOWN)}, found {kind}")
