"""The file behind a journal: opened, checked, migrated, locked, and written one durable transaction at a time."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, insert, select, update

from keeper import __version__
from keeper.core.errors import JournalError
from keeper.journal import schema, sqlite, triggers
from keeper.journal.lock import WriterLock
from keeper.journal.tables import meta


class Store:
    """The one writer of a journal.

    Guarantees: a transaction is on the disk when `writing` ends, or nothing of it is; a writer of an older epoch
    changes nothing; several threads may share it. A damaged, foreign or newer file is refused and left as it is.
    """

    def __init__(self, url: str, now: int) -> None:
        """Begins a journal where there is none. Raises JournalError where it must not or cannot be written."""
        self.path = sqlite.path_of(url)
        self.notes: tuple[str, ...] = ()
        """What opening it did that an operator should know."""
        self._mutex = threading.RLock()
        sqlite.check_place(self.path, writing=True)
        with sqlite.journal_errors(self.path):
            self._lock = WriterLock(self.path)
        try:
            with sqlite.journal_errors(self.path):
                # Again, under the lock: another writer may just have begun it.
                sqlite.check_place(self.path, writing=True)
                if not self.path.exists():
                    _create(self.path, now)
                self._engine = sqlite.open_writing(self.path)
                self.epoch = self._open(now)
        except JournalError:
            self._lock.release()
            raise
        self._reader = sqlite.for_reading(self._engine)

    def _open(self, now: int) -> int:
        try:
            sqlite.quick_check(self._engine, self.path)
            self._migrate()
            with self._engine.begin() as connection:
                triggers.install(connection)
                raised = {"epoch": meta.c.epoch + 1, "keeper": __version__, "wrote_at": now}
                connection.execute(update(meta).values(raised))
                return int(connection.execute(select(meta.c.epoch)).scalar_one())
        except BaseException:
            self._engine.dispose()
            raise

    def _migrate(self) -> None:
        with sqlite.for_reading(self._engine).connect() as connection:
            version = schema.read_version(connection, self.path)
        schema.check_known(version, self.path)
        if version == 0:
            raise JournalError(f"journal {self.path}: expected a keeper's journal, found an empty database")
        if version == schema.KNOWN:
            return
        backup = self.path.with_name(f"{self.path.name}.schema-{version}")
        if not backup.exists():
            sqlite.copy_to(self._engine, backup)
        with self._engine.begin() as connection:
            schema.migrate(connection)
        self.notes += (f"journal migrated from schema {version} to {schema.KNOWN}; as it was before: {backup}",)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction, on the disk when this ends. Raises JournalError where it could not be written."""
        with self._mutex, sqlite.journal_errors(self.path), self._engine.begin() as connection:
            # The transaction holds the write lock (elsewhere: the row), so the epoch cannot change before it ends.
            found = connection.execute(select(meta.c.epoch).with_for_update()).scalar_one_or_none()
            if found != self.epoch:
                raise JournalError(
                    f"journal {self.path}: expected epoch {self.epoch}, found {found}: another writer opened it since"
                )
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        with self._mutex, sqlite.journal_errors(self.path), self._reader.connect() as connection:
            yield connection

    def close(self) -> None:
        with self._mutex:
            self._engine.dispose()
            self._lock.release()


def _create(path: Path, now: int) -> None:
    """A new journal, under another name until it is whole."""
    new = path.with_name(path.name + ".new")
    for leftover in (new, new.with_name(new.name + "-wal"), new.with_name(new.name + "-shm")):
        leftover.unlink(missing_ok=True)
    engine = sqlite.open_writing(new)
    try:
        with engine.begin() as connection:
            schema.migrate(connection)
            row = {"id": 1, "journal": secrets.token_hex(16), "epoch": 0, "keeper": __version__, "wrote_at": now}
            connection.execute(insert(meta).values(row))
    finally:
        engine.dispose()
    sqlite.settle_in(new, path)


def open_reader(url: str) -> tuple[Path, Engine]:
    """A read-only engine on a journal of the known schema. Raises JournalError where there is none."""
    path = sqlite.path_of(url)
    sqlite.check_place(path, writing=False)
    engine = sqlite.open_reading(path)
    with sqlite.journal_errors(path), engine.connect() as connection:
        schema.check_current(schema.read_version(connection, path), path)
    return path, engine
