"""SQLite's own ways, all of them: how a file is opened, checked and begun, and its triggers are in triggers.py.

Writers use WAL with synchronous=FULL, so that a commit is on the disk when it returns; readers never block them.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, QueuePool, StaticPool, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from keeper.core.errors import JournalError

BUSY_TIMEOUT = 5_000
"""{ms} How long a write waits for another one; requests are the only other ones, and take a millisecond."""

NETWORK = frozenset({"nfs", "nfs4", "cifs", "smbfs", "smb3", "ncpfs", "afs", "fuse.sshfs", "fuse.glusterfs", "ceph"})
"""File systems whose locks cannot be trusted."""

_READING = "reading"


def path_of(url: str) -> Path:
    """The file of an `sqlite:///path` URL. Raises JournalError for every other database: none is supported yet."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise JournalError("journal: expected a URL such as sqlite:///keeper.db") from None
    if parsed.get_backend_name() != "sqlite":
        raise JournalError(f"journal: expected an sqlite URL, found {parsed.drivername}")
    if not parsed.database or parsed.database == ":memory:":
        raise JournalError("journal: expected the path of a file in its URL, found none")
    return Path(parsed.database)


def url_of(path: Path) -> str:
    return f"sqlite:///{path}"


# --- before opening --------------------------------------------------------------------------------------------------


def check_place(path: Path, *, writing: bool) -> None:
    """Raises JournalError where the file cannot be a journal, or cannot be one that is safe to write."""
    if not path.parent.is_dir():
        raise JournalError(f"journal {path}: its directory {path.parent} does not exist")
    if path.is_dir():
        raise JournalError(f"journal {path}: expected a file, found a directory")
    if kind := network_kind(path):
        raise JournalError(f"journal {path}: expected a local disk, found a network file system ({kind})")
    if not path.exists():
        _check_absent(path, writing)
        return
    # Its first bytes are SQLite's to look at. Whoever opens and closes the file beside SQLite drops the locks of every
    # connection that this process has on it, and another process may then delete the log that is being written.
    if path.stat().st_size == 0:
        raise JournalError(f"journal {path}: expected an SQLite database, found an empty file; it is left as it is")
    if writing and not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)):
        raise JournalError(f"journal {path}: it or its directory is read-only")


def _check_absent(path: Path, writing: bool) -> None:
    if not writing:
        raise JournalError(f"journal {path}: does not exist yet; a run or `once` begins it")
    wal = path.with_name(path.name + "-wal")
    if wal.exists():
        raise JournalError(f"journal {path}: is gone, but {wal.name} is there: was it moved or deleted?")
    if not os.access(path.parent, os.W_OK):
        raise JournalError(f"journal {path}: its directory is read-only")


def network_kind(path: Path, mounts: str | None = None) -> str:
    """The kind of network file system that `path` lies on, or an empty string where it is local or cannot be told."""
    if mounts is None:
        source = Path("/proc/mounts")
        mounts = source.read_text(errors="replace") if source.exists() else ""
    place, best, kind = path.resolve(), -1, ""
    for line in mounts.splitlines():
        fields = line.split()
        if len(fields) < 3:
            continue
        mount = Path(fields[1].replace("\\040", " "))
        if place.is_relative_to(mount) and len(mount.parts) >= best:
            best, kind = len(mount.parts), fields[2]
    return kind if kind in NETWORK else ""


# --- opening ---------------------------------------------------------------------------------------------------------


def open_writing(path: Path) -> Engine:
    """Creates the file where there is none."""
    return _engine(lambda: sqlite3.connect(path, **_connect_options()), writing=True)


def open_alone(path: Path) -> Engine:
    """For one connection that is kept, and begins its transactions itself. Creates the file where there is none."""
    return _connecting(lambda: sqlite3.connect(path, **_connect_options()), writing=True, poolclass=StaticPool)


def open_reading(path: Path) -> Engine:
    wal = path.with_name(path.name + "-wal")
    # A reader of a WAL journal makes a -shm file; where it cannot, and nobody writes, the file alone is the journal.
    still = "" if wal.exists() or os.access(path.parent, os.W_OK) else "&immutable=1"
    uri = f"file:{quote(str(path))}?mode=ro{still}"
    return _engine(lambda: sqlite3.connect(uri, uri=True, **_connect_options()), writing=False)


def _connect_options() -> dict[str, Any]:
    # isolation_level None: transactions begin where we say, schema changes included
    return {"isolation_level": None, "timeout": BUSY_TIMEOUT / 1000, "check_same_thread": False}


def _engine(connect: Callable[[], sqlite3.Connection], *, writing: bool) -> Engine:
    engine = _connecting(connect, writing=writing, poolclass=QueuePool, pool_size=1, max_overflow=0)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        only_reads = not writing or connection.get_execution_options().get(_READING, False)
        # IMMEDIATE: a write that begins as a read fails half-way where another one came first
        connection.exec_driver_sql("BEGIN" if only_reads else "BEGIN IMMEDIATE")

    return engine


def _connecting(connect: Callable[[], sqlite3.Connection], *, writing: bool, **pool: Any) -> Engine:
    engine = create_engine("sqlite://", creator=connect, **pool)

    @event.listens_for(engine, "connect")
    def _set_up(connection: sqlite3.Connection, _record: object) -> None:
        pragmas = [f"busy_timeout = {BUSY_TIMEOUT}", "foreign_keys = ON", "trusted_schema = OFF"]
        pragmas += ["journal_mode = WAL", "synchronous = FULL"] if writing else ["query_only = ON"]
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")

    return engine


def driver_of(connection: Connection) -> sqlite3.Connection:
    raw = connection.connection.driver_connection
    assert isinstance(raw, sqlite3.Connection)
    return raw


def for_reading(engine: Engine) -> Engine:
    """The same engine, whose transactions take no write lock."""
    return engine.execution_options(**{_READING: True})


# --- checks and copies -----------------------------------------------------------------------------------------------


def quick_check(connection: Connection, path: Path) -> None:
    """Raises JournalError where pages are damaged. Reads the whole file: about a second for a gigabyte."""
    found = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
    if found != "ok":
        text = str(found).replace("\n", " ")
        raise JournalError(f"journal {path}: expected a sound file, found damage ({text}); restore a backup of it")


def copy_to(raw: sqlite3.Connection, target: Path) -> None:
    """A consistent copy, for the hour in which a migration turns out to be wrong."""
    raw.execute("VACUUM INTO ?", (str(target),))


def back_up(engine: Engine, target: Path) -> None:
    """Into the empty file `target`, page by page, while others write."""
    raw, copy = engine.raw_connection(), sqlite3.connect(target, isolation_level=None)
    try:
        assert isinstance(raw.driver_connection, sqlite3.Connection)
        raw.driver_connection.backup(copy)
        # One file that stands for itself: no -wal beside it that could be left behind.
        copy.execute("PRAGMA journal_mode = DELETE")
    finally:
        copy.close()
        raw.close()
    with target.open("rb") as file:
        os.fsync(file.fileno())


def settle_in(new: Path, path: Path) -> None:
    """Gives a finished new database its name, so that a crash on the way leaves no half of a journal."""
    with new.open("rb") as file:
        os.fsync(file.fileno())
    new.rename(path)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


@contextmanager
def journal_errors(path: Path) -> Iterator[None]:
    """What the database or the disk says, as one line of JournalError without statements or values."""
    try:
        yield
    except DBAPIError as error:
        said = str(error.orig).splitlines()[0] if error.orig else type(error).__name__
    except sqlite3.Error as error:
        said = str(error).splitlines()[0]
    except SQLAlchemyError as error:
        said = f"{type(error).__name__}: {str(error).splitlines()[0]}"
    except OSError as error:
        said = error.strerror or type(error).__name__
    else:
        return
    raise JournalError(f"journal {path}: {_plain(said)}") from None


_PLAIN = {
    "database is locked": f"another process has been writing it for {BUSY_TIMEOUT // 1000} s",
    "database or disk is full": "the disk is full; nothing was written",
    "database disk image is malformed": "expected a sound file, found damage; restore a backup of it",
    "file is not a database": "expected an SQLite database, found something else; it is left as it is",
    "attempt to write a readonly database": "it is read-only",
    "unable to open database file": "cannot be opened",
}


def _plain(said: str) -> str:
    return next((f"{plain} ({said})" for begins, plain in _PLAIN.items() if said.startswith(begins)), said)
