"""Which schema a journal has, and how it gets the one that this keeper knows. Alembic is imported only to change it."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from keeper.core.errors import JournalError

KNOWN = 8
"""The newest schema: the number of the last file in migrations/versions."""

MIGRATIONS = Path(__file__).parent / "migrations"
_TABLE = "alembic_version"


def read_version(connection: Connection, name: str) -> int:
    """0 for a database without tables. Raises JournalError for one that is no journal."""
    tables = inspect(connection).get_table_names()
    if not tables:
        return 0
    if _TABLE not in tables:
        raise JournalError(f"journal {name}: expected a keeper's journal, found tables of something else")
    found = connection.execute(text(f"SELECT version_num FROM {_TABLE}")).scalars().all()  # noqa: S608  a constant
    if len(found) != 1 or not str(found[0]).isdecimal():
        raise JournalError(f"journal {name}: expected one schema number, found {', '.join(map(str, found)) or 'none'}")
    return int(found[0])


def check_known(version: int, name: str) -> None:
    """Raises JournalError for a journal of a newer keeper."""
    if version > KNOWN:
        raise JournalError(
            f"journal {name}: expected schema ≤ {KNOWN}, found {version}: a newer keeper wrote it, use that one"
        )


def check_current(version: int, name: str) -> None:
    """For readers, who cannot migrate. Raises JournalError for every schema but the known one."""
    check_known(version, name)
    if version == 0:
        raise JournalError(f"journal {name}: expected a keeper's journal, found an empty database")
    if version < KNOWN:
        raise JournalError(f"journal {name}: expected schema {KNOWN}, found {version}: `keeper run` migrates it")


def migrate(connection: Connection) -> None:
    """To the newest schema, within the caller's transaction: all of it or nothing."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
