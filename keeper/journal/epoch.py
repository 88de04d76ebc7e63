"""The journal's one row of its own: its number, and the epoch, which each opening for writing raises."""

from __future__ import annotations

import secrets

from sqlalchemy import Connection, insert, select, update

from keeper import __version__
from keeper.core.errors import JournalError
from keeper.journal.tables import meta


def begin(connection: Connection, now: int) -> None:
    """A new journal's row. Its number is random; the seeds of its vaults follow from it."""
    row = {"id": 1, "journal": secrets.token_hex(16), "epoch": 0, "keeper": __version__, "wrote_at": now}
    connection.execute(insert(meta).values(row))


def raise_epoch(connection: Connection, now: int) -> int:
    """The epoch of the writer that opens the journal with this; the writers before it change nothing any more."""
    connection.execute(update(meta).values(epoch=meta.c.epoch + 1, keeper=__version__, wrote_at=now))
    return int(connection.execute(select(meta.c.epoch)).scalar_one())


def overtaken(name: str, expected: int, found: int | None) -> JournalError:
    return JournalError(f"journal {name}: expected epoch {expected}, found {found}: another writer opened it since")
