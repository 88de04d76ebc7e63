"""What is halted and latched now, of every vault and sender: read once, and again only when something changed it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, select

from keeper.core.latches import Latch
from keeper.journal.latches import latch_of
from keeper.journal.tables import halts

_OPEN = select(halts).where(halts.c.cleared_at.is_(None)).order_by(halts.c.id)


@dataclass(frozen=True, slots=True)
class Standing:
    """By scope: the first reason that stands, and what breakers have latched or try, oldest first."""

    halted: Mapping[str, str]
    latches: Mapping[str, tuple[Latch, ...]]


def read_standing(connection: Connection) -> Standing:
    halted: dict[str, str] = {}
    latches: dict[str, tuple[Latch, ...]] = {}
    for row in connection.execute(_OPEN):
        if row.trying_at is None:
            halted.setdefault(row.scope, row.reason)
        if row.breaker is not None:
            latches[row.scope] = (*latches.get(row.scope, ()), latch_of(row))
    return Standing(halted, latches)
