"""When the daemon began to act and whether it ended itself, in the journal: who died is known by its missing end."""

from __future__ import annotations

from sqlalchemy import Connection, insert, select, update

from keeper.core.runs import Run
from keeper.journal.tables import runs

_MOST = 20
"""More in a row wait no longer."""


def begin_run(connection: Connection, waited: int, now: int) -> int:
    key = connection.execute(insert(runs).values(at=now, waited=waited)).inserted_primary_key
    assert key is not None
    return int(key[0])


def end_run(connection: Connection, number: int, now: int) -> None:
    connection.execute(update(runs).where(runs.c.id == number).values(ended_at=now))


def read_runs(connection: Connection) -> tuple[Run, ...]:
    """The latest first."""
    latest = connection.execute(select(runs).order_by(runs.c.id.desc()).limit(_MOST))
    return tuple(Run(row.at, row.waited, row.ended_at is not None) for row in latest)
