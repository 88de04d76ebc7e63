"""The journal's one row of its own: its number, and the epoch, which each opening for writing raises."""

from __future__ import annotations

import secrets

from sqlalchemy import Connection, insert, select, update

from keeper import __version__
from keeper.core.errors import JournalError
from keeper.journal.tables import meta

FORK = "fork-"
"""Stands before the number of a journal that `keeper fork` wrote."""


def begin(connection: Connection, now: int) -> None:
    """A new journal's row. Its number is random; the seeds of its vaults follow from it."""
    row = {"id": 1, "journal": secrets.token_hex(16), "epoch": 0, "keeper": __version__, "wrote_at": now}
    connection.execute(insert(meta).values(row))


def raise_epoch(connection: Connection, now: int) -> int:
    """The epoch of the writer that opens the journal with this; the writers before it change nothing any more."""
    connection.execute(update(meta).values(epoch=meta.c.epoch + 1, keeper=__version__, wrote_at=now))
    return int(connection.execute(select(meta.c.epoch)).scalar_one())


def claim(connection: Connection, name: str, epoch: int, *, fork: bool) -> None:
    """Marks a journal that was just begun as a fork's, where it is one's.

    Raises JournalError where a fork's journal is opened as a real one, or the other way round: what happened on a fork
    must never count for what happened.
    """
    number: str = connection.execute(select(meta.c.journal)).scalar_one()
    if fork and epoch == 1 and not number.startswith(FORK):
        connection.execute(update(meta).values(journal=FORK + number))
    elif number.startswith(FORK) != fork:
        kinds = ("of a real chain", "of a fork")
        raise JournalError(f"journal {name}: expected one {kinds[fork]}, found one {kinds[not fork]}")


def overtaken(name: str, expected: int, found: int | None) -> JournalError:
    return JournalError(f"journal {name}: expected epoch {expected}, found {found}: another writer opened it since")
