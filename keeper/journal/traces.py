"""What a peg knows of its past, in the journal: kept with the cycle that saw it, in the same transaction."""

from __future__ import annotations

from sqlalchemy import Connection, insert, select, update

from keeper.core.pegs import Trace, trace_in, trace_out
from keeper.journal.tables import traces


def keep_trace(connection: Connection, vault: str, trace: Trace) -> None:
    """In place of the one before."""
    body = trace_out(trace)
    known = update(traces).where(traces.c.vault == vault).values(body=body)
    if connection.execute(known).rowcount == 0:
        connection.execute(insert(traces).values(vault=vault, body=body))


def read_trace(connection: Connection, vault: str) -> Trace | None:
    body = connection.execute(select(traces.c.body).where(traces.c.vault == vault)).scalar()
    return None if body is None else trace_in(body)
