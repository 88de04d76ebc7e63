"""A journal in an SQLite file: one writer by a lock on a file beside it, which the system lets go with the process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine

from keeper.core.errors import JournalError
from keeper.journal import schema, sqlite, triggers
from keeper.journal.epoch import begin, overtaken, raise_epoch
from keeper.journal.lock import WriterLock


class SqliteFile:
    """A damaged, foreign or newer file is refused and left as it is."""

    def __init__(self, url: str) -> None:
        self.path = sqlite.path_of(url)
        self.name = str(self.path)

    def exists(self) -> bool:
        return self.path.exists()

    def take(self, now: int, on_lost: Callable[[], None]) -> SqlitePen:  # noqa: ARG002  a lock on a file is not lost
        sqlite.check_place(self.path, writing=True)
        with self.errors():
            return SqlitePen(self.path, now)

    def open_reading(self) -> Engine:
        sqlite.check_place(self.path, writing=False)
        return sqlite.open_reading(self.path)

    def open_asking(self) -> Engine:
        sqlite.check_place(self.path, writing=False)
        sqlite.check_place(self.path, writing=True)
        with self.errors():
            return sqlite.open_writing(self.path)

    def for_reading(self, engine: Engine) -> Engine:
        return sqlite.for_reading(engine)

    def errors(self) -> AbstractContextManager[None]:
        return sqlite.journal_errors(self.path)


def back_up(url: str, target: Path) -> None:
    """A copy of the journal at one moment, in a new file that only its owner may read; the writer need not stop.

    Raises JournalError where there is no journal, where `target` exists, or where the copy is not sound.
    """
    place = SqliteFile(url)
    with place.errors():
        engine = place.open_reading()
    try:
        with sqlite.journal_errors(target):
            target.touch(mode=0o600, exist_ok=False)
            sqlite.back_up(engine, target)
            copy = sqlite.open_reading(target)
            try:
                with copy.connect() as connection:
                    sqlite.quick_check(connection, target)
            finally:
                copy.dispose()
    finally:
        engine.dispose()


class SqlitePen:
    """Held from construction until `release`, or until the process ends; so is its one connection."""

    def __init__(self, path: Path, now: int) -> None:
        self._path = path
        self.notes: tuple[str, ...] = ()
        self._lock = WriterLock(path)
        try:
            # Again, under the lock: another writer may just have begun it.
            sqlite.check_place(path, writing=True)
            if not path.exists():
                _create(path, now)
            self._engine = sqlite.open_alone(path)
            self.epoch = self._open(now)
        except BaseException:
            self._lock.release()
            raise

    def _open(self, now: int) -> int:
        try:
            self._connection = self._engine.connect()
            self._raw = sqlite.driver_of(self._connection)
            with self.reading() as connection:
                sqlite.quick_check(connection, self._path)
            self._migrate()
            with self._begun("BEGIN IMMEDIATE") as connection:
                triggers.install(connection)
                return raise_epoch(connection, now)
        except BaseException:
            self._engine.dispose()
            raise

    def _migrate(self) -> None:
        name = str(self._path)
        with self.reading() as connection:
            version = schema.read_version(connection, name)
        schema.check_known(version, name)
        if version == 0:
            raise JournalError(f"journal {name}: expected a keeper's journal, found an empty database")
        if version == schema.KNOWN:
            return
        before = self._path.with_name(f"{self._path.name}.schema-{version}")
        if not before.exists():
            sqlite.copy_to(self._raw, before)
        with self._begun("BEGIN IMMEDIATE") as connection:
            schema.migrate(connection)
        self.notes += (f"journal migrated from schema {version} to {schema.KNOWN}; as it was before: {before}",)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        # IMMEDIATE: a write that begins as a read fails half-way where another one came first. It holds the write
        # lock, so the epoch cannot change before it ends.
        with self._begun("BEGIN IMMEDIATE") as connection:
            row = self._raw.execute("SELECT epoch FROM meta").fetchone()
            if row != (self.epoch,):
                raise overtaken(str(self._path), self.epoch, row and row[0])
            yield connection

    def reading(self) -> AbstractContextManager[Connection]:
        return self._begun("BEGIN")

    def version(self) -> object:
        return self._raw.execute("PRAGMA data_version").fetchone()

    @contextmanager
    def _begun(self, how: str) -> Iterator[Connection]:
        # Straight to the driver, as is the epoch: each write waits for both, and most of it would be SQLAlchemy's.
        with self._connection.begin():
            self._raw.execute(how)
            yield self._connection

    def release(self) -> None:
        self._connection.close()
        self._engine.dispose()
        self._lock.release()


def _create(path: Path, now: int) -> None:
    """A new journal that only its owner may read, under another name until it is whole."""
    new = path.with_name(path.name + ".new")
    for leftover in (new, new.with_name(new.name + "-wal"), new.with_name(new.name + "-shm")):
        leftover.unlink(missing_ok=True)
    new.touch(mode=0o600, exist_ok=False)  # SQLite gives its log the mode of the database
    engine = sqlite.open_writing(new)
    try:
        with engine.begin() as connection:
            schema.migrate(connection)
            begin(connection, now)
    finally:
        engine.dispose()
    sqlite.settle_in(new, path)
