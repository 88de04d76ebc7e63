"""Who may write a PostgreSQL journal: one row with holder, epoch and expiry. Only the database's clock counts.

A row, not an advisory lock: that would go with its session, and a pooler between us may give us another one.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable

from sqlalchemy import Connection, Engine, insert, literal_column, select, update
from sqlalchemy.exc import SQLAlchemyError

from keeper.journal.epoch import overtaken
from keeper.journal.lock import Leased
from keeper.journal.tables import Int, lease

TERM = 20_000
"""{ms} How long a writer that has fallen silent keeps others out: a crash costs that much, and a pause that is longer
costs the lease. Four renewals fit in, so that one lost packet does not."""

NOW = literal_column("floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint", Int)


def check_free(connection: Connection, name: str) -> None:
    """Raises Leased while another writer's term runs. Keeps every writer out until the end of this transaction."""
    row = connection.execute(select(lease.c.holder, (lease.c.expires - NOW).label("left")).with_for_update()).first()
    if row is not None and row.left > 0:
        left = -(-int(row.left) // 1000)
        raise Leased(f"journal {name}: {row.holder} is writing it, and may for {left} s more; expected no other writer")


def take(connection: Connection, epoch: int) -> None:
    """After `check_free`, in its transaction."""
    values = {"holder": f"process {os.getpid()} on {socket.gethostname()}", "epoch": epoch, "expires": NOW + TERM}
    if connection.execute(update(lease).values(values)).rowcount == 0:
        connection.execute(insert(lease).values(id=1, **values))


def renew(connection: Connection, name: str, epoch: int) -> None:
    """Part of every write. Raises JournalError where another writer took over; else none can before the transaction
    ends. A term that has run out and was taken by nobody begins anew."""
    mine = update(lease).where(lease.c.epoch == epoch).values(expires=NOW + TERM)
    if connection.execute(mine).rowcount != 1:
        raise overtaken(name, epoch, connection.execute(select(lease.c.epoch)).scalar())


class Renewals:
    """Renews a lease in the background until `stop`: between two writes there may be more than a term.

    Calls `on_lost` once where the lease is somebody else's. A database that does not answer is not a lost lease: it
    is asked again, and meanwhile each write fails by itself.
    """

    def __init__(self, engine: Engine, epoch: int, on_lost: Callable[[], None]) -> None:
        self._engine, self._epoch, self._on_lost = engine, epoch, on_lost
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lease", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.wait(TERM / 4000):
            try:
                with self._engine.begin() as connection:
                    mine = update(lease).where(lease.c.epoch == self._epoch).values(expires=NOW + TERM)
                    is_mine = connection.execute(mine).rowcount == 1
            except SQLAlchemyError:
                continue
            if not is_mine:
                self._on_lost()
                return

    def stop(self) -> None:
        """And lets the lease go, so that the next writer need not wait."""
        self._stop.set()
        self._thread.join()
        try:
            with self._engine.begin() as connection:
                connection.execute(update(lease).where(lease.c.epoch == self._epoch).values(expires=0))
        except SQLAlchemyError:
            return  # it ends by itself
