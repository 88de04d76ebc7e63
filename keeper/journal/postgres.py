"""A journal in a PostgreSQL database: how it is reached, begun and written. A lease row says who may write.

A commit is on the server's disk (and on that of its synchronous standby, where it has one) when it returns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError

from keeper.core.errors import JournalError
from keeper.core.foreign import printable
from keeper.journal import lease, postgres_triggers, schema
from keeper.journal.epoch import begin, raise_epoch

ANSWER = 10
"""{s} How long the server may take: a term of the lease is twice that."""

SETTINGS = {
    "statement_timeout": f"{ANSWER}s",
    "lock_timeout": f"{ANSWER}s",
    # A keeper that stops in the middle of a transaction must not keep its successor waiting for its locks.
    "idle_in_transaction_session_timeout": f"{ANSWER}s",
}
CONNECT = {
    "connect_timeout": 5,
    "application_name": "keeper",
    "keepalives_idle": ANSWER,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": ANSWER * 1000,
}
DURABLE = """SELECT set_config('synchronous_commit', 'on', false)
WHERE current_setting('synchronous_commit') IN ('off', 'local')"""
"""What waits for the disk, or for more than one, may stay as the server has it."""

OPENING = 0x6B65657065720001
"""Key of the advisory lock under which a journal is begun or migrated; held for one transaction only."""


class PostgresDatabase:
    """It, or the schema that its `search_path` names, must be the journal's alone."""

    def __init__(self, url: str) -> None:
        self._url = make_url(url).set(drivername="postgresql+psycopg")
        server = self._url.host or str(self._url.query.get("host", "")) or "local"
        port = f":{self._url.port}" if self._url.port else ""
        self.name = f"postgresql {server}{port}/{self._url.database or ''}"

    def exists(self) -> bool:
        with self.errors(), _disposed(self._engine()) as engine, engine.connect() as connection:
            return schema.read_version(connection, self.name) > 0

    def take(self, now: int, on_lost: Callable[[], None]) -> PostgresPen:
        with self.errors():
            return PostgresPen(self.name, self._engine(), self.for_reading, now, on_lost)

    def open_reading(self) -> Engine:
        return self._existing(self.for_reading(self._engine()))

    def open_asking(self) -> Engine:
        return self._existing(self._engine())

    def _existing(self, engine: Engine) -> Engine:
        try:
            with self.errors(), engine.connect() as connection:
                if schema.read_version(connection, self.name) == 0:
                    raise JournalError(f"journal {self.name}: does not exist yet; a run or `once` begins it")
        except BaseException:
            engine.dispose()
            raise
        return engine

    def for_reading(self, engine: Engine) -> Engine:
        return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    def _engine(self) -> Engine:
        try:
            import psycopg  # noqa: F401
        except ImportError:
            raise JournalError("journal: PostgreSQL needs psycopg: pip install 'keeper[postgres]'") from None
        return _engine(self._url)

    @contextmanager
    def errors(self) -> Iterator[None]:
        try:
            yield
        except OperationalError as error:
            said = f"PostgreSQL does not serve it ({_line(error)})"
        except DBAPIError as error:
            said = _line(error)
        except SQLAlchemyError as error:
            said = f"{type(error).__name__}: {str(error).splitlines()[0]}"
        except OSError as error:
            said = error.strerror or type(error).__name__
        else:
            return
        raise JournalError(f"journal {self.name}: {said}") from None


class PostgresPen:
    """Held from construction until `release`, or until another keeper takes over after a term of silence."""

    def __init__(
        self,
        name: str,
        engine: Engine,
        for_reading: Callable[[Engine], Engine],
        now: int,
        on_lost: Callable[[], None],
    ) -> None:
        self._name = name
        self.notes: tuple[str, ...] = ()
        self._engine, self._reader = engine, for_reading(engine)
        try:
            with engine.begin() as connection:
                self.epoch = self._open(connection, now)
        except BaseException:
            engine.dispose()
            raise
        self._renewals = lease.Renewals(engine, self.epoch, on_lost)

    def _open(self, connection: Connection, now: int) -> int:
        """All of it in one transaction: begun, migrated and taken, or as it was."""
        _check_server(connection, self._name)
        connection.execute(text(f"SELECT pg_advisory_xact_lock({OPENING})"))
        version = schema.read_version(connection, self._name)
        schema.check_known(version, self._name)
        if version >= 2:
            lease.check_free(connection, self._name)
        if version < schema.KNOWN:
            schema.migrate(connection)
        if version == 0:
            begin(connection, now)
        elif version < schema.KNOWN:
            self.notes += (f"journal migrated from schema {version} to {schema.KNOWN}",)
        postgres_triggers.install(connection)
        epoch = raise_epoch(connection, now)
        lease.take(connection, epoch)
        return epoch

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        with self._engine.begin() as connection:
            lease.renew(connection, self._name, self.epoch)
            yield connection

    def reading(self) -> Connection:
        return self._reader.connect()

    def version(self) -> object:
        return object()

    def release(self) -> None:
        self._renewals.stop()
        self._engine.dispose()


def _engine(url: URL) -> Engine:
    own = url.query.get("options", "")
    options = " ".join([*([own] if isinstance(own, str) else own), *(f"-c {k}={v}" for k, v in SETTINGS.items())])
    # The pre-ping finds connections that a restarted server has forgotten, so that nobody has to.
    engine = create_engine(url, connect_args={**CONNECT, "options": options}, pool_pre_ping=True, pool_timeout=ANSWER)

    @event.listens_for(engine, "connect")
    def _set_up(connection: Any, _record: object) -> None:
        connection.execute(DURABLE)
        connection.commit()

    return engine


@contextmanager
def _disposed(engine: Engine) -> Iterator[Engine]:
    try:
        yield engine
    finally:
        engine.dispose()


def _check_server(connection: Connection, name: str) -> None:
    """Raises JournalError for a server on which a commit would not be durable, or not be the truth."""
    settings = text("SELECT current_setting('fsync'), pg_is_in_recovery(), current_setting('server_encoding')")
    fsync, is_replica, encoding = connection.execute(settings).one()
    if is_replica:
        raise JournalError(f"journal {name}: expected the primary, found a replica")
    if fsync != "on":
        raise JournalError(f"journal {name}: expected fsync = on, found {fsync}: a power cut would lose what was sent")
    if encoding != "UTF8":
        raise JournalError(f"journal {name}: expected a database in UTF8, found {encoding}")


def _line(error: DBAPIError) -> str:
    """The server's own words, without the row that they are about."""
    said = str(error.orig or error).split("\nDETAIL:")[0].split("\nCONTEXT:")[0]
    return printable(" ".join(said.split()), 300)
