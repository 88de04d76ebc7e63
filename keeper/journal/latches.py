"""What breakers latched, in the journal: a halt that knows how it lets go again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, and_, func, insert, or_, select, update

from keeper.core.calls import Purpose
from keeper.core.latches import BREAKER, WHY, Ending, Latch, Rearm, Step, Trip, step
from keeper.core.sending import UNFINAL, Intent, State
from keeper.journal import rows
from keeper.journal.tables import halts, intents

BY = "keeper"


def read_latches(connection: Connection, vault: str) -> tuple[Latch, ...]:
    """Those that stand or are on trial, oldest first."""
    return tuple(latch_of(row) for row in _open(connection, vault))


def read_latches_at(connection: Connection, vault: str, at: int) -> tuple[Latch, ...]:
    """Those that stood or were on trial at that time (Unix seconds), the latest of each breaker."""
    begun = and_(halts.c.scope == vault, halts.c.breaker.is_not(None), halts.c.at <= at)
    mine = and_(begun, or_(halts.c.cleared_at.is_(None), halts.c.cleared_at >= at))
    rows_then = connection.execute(select(halts).where(mine).order_by(halts.c.id))
    found = {row.breaker: latch_of(row) for row in rows_then}
    return tuple(
        replace(latch, trying_at=None) if latch.trying_at is not None and latch.trying_at >= at else latch
        for latch in found.values()
    )


def read_cleared(connection: Connection, vault: str) -> tuple[tuple[str, int], ...]:
    """When each breaker of the vault was last cleared, by name."""
    mine = and_(halts.c.scope == vault, halts.c.breaker.is_not(None), halts.c.cleared_at.is_not(None))
    latest = select(halts.c.breaker, func.max(halts.c.cleared_at)).where(mine)
    found = connection.execute(latest.group_by(halts.c.breaker).order_by(halts.c.breaker))
    return tuple((name, int(at)) for name, at in found)


def latch(connection: Connection, vault: str, trips: Sequence[Trip], now: int) -> None:
    """Takes every latch of the vault a step on, and latches what has tripped beside them."""
    standing = _open(connection, vault)
    endings = _read_endings(connection, vault) if standing else ()
    tripped = {trip.breaker: trip for trip in trips}
    for row in standing:
        trip = tripped.pop(row.breaker, None)
        match step(latch_of(row), tripping=trip is not None, endings=endings, now=now):
            case Step.TRY:
                connection.execute(update(halts).where(halts.c.id == row.id).values(trying_at=now))
            case Step.CLEAR:
                _end(connection, row.id, WHY[Step.CLEAR], now)
            case Step.AGAIN:
                _end(connection, row.id, WHY[Step.AGAIN], now)
                _begin(connection, vault, trip or Trip(row.breaker, "its trial failed", latch_of(row).rearm), now)
    for trip in tripped.values():
        _begin(connection, vault, trip, now)


def latch_of(row: Any) -> Latch:
    return Latch(row.breaker, row.at, Rearm(row.rest, rows.usd_in(row.trial)), row.trying_at)


def reason_of(trip: Trip) -> str:
    """As people read it: which breaker, both figures, and how it lets go."""
    return f"{BREAKER} {trip.breaker}: {trip.reason}; {trip.rearm}"


def endings_of(found: Iterable[Intent]) -> tuple[Ending, ...]:
    """What became of the vault's swaps and upkeeps, oldest first; what was cancelled tried nothing."""
    over = [
        Ending(intent.mined.timestamp, intent.mined.status == 1)
        for intent in found
        if intent.mined is not None
        and intent.state in UNFINAL | {State.FINAL_OK, State.FINAL_REVERTED}
        and intent.call.purpose in (Purpose.SWAP, Purpose.UPKEEP)
        and _executed(intent) is not Purpose.CANCEL
    ]
    return tuple(sorted(over, key=lambda ending: ending.at))


def _executed(intent: Intent) -> Purpose | None:
    mined = intent.mined
    return next((attempt.purpose for attempt in intent.attempts if mined and attempt.hash == mined.hash), None)


def _read_endings(connection: Connection, vault: str) -> tuple[Ending, ...]:
    mine = and_(intents.c.vault == vault, intents.c.mined_at.is_not(None))
    latest = select(intents.c.id).where(mine).order_by(intents.c.id.desc()).limit(20)
    return endings_of(rows.read_intents(connection, intents.c.id.in_(latest)))


def _open(connection: Connection, vault: str) -> Sequence[Any]:
    mine = and_(halts.c.scope == vault, halts.c.breaker.is_not(None), halts.c.cleared_at.is_(None))
    return connection.execute(select(halts).where(mine).order_by(halts.c.id)).all()


def _begin(connection: Connection, vault: str, trip: Trip, now: int) -> None:
    values = {"scope": vault, "reason": reason_of(trip), "at": now, "breaker": trip.breaker, "rest": trip.rearm.after}
    trial = None if trip.rearm.trial is None else trip.rearm.trial.raw
    connection.execute(insert(halts).values(**values, trial=trial))


def _end(connection: Connection, number: int, why: str, now: int) -> None:
    ended = {"cleared_at": now, "cleared_by": BY, "cleared_reason": why}
    connection.execute(update(halts).where(halts.c.id == number).values(ended))
