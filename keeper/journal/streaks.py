"""Cycles and their streaks: what is unchanged adds to the row that there is, and what merely goes on writes no row.

A vault's latest cycle is remembered between calls, as there is one writer. Where a transaction fails all of it is
forgotten, and read anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from keeper.core.chain import Block
from keeper.core.errors import JournalError
from keeper.core.records import CycleRecord
from keeper.journal import rows, rules
from keeper.journal.prepared import Prepared
from keeper.journal.tables import cycles, going
from keeper.journal.traces import keep_trace

AT_ONCE = (10, 100, 1_000)
"""Streaks that one statement takes on: of three lengths, so that each is compiled once."""

_NAMES = ("id", "vault", "chain_id", "kind", "code", "guards", "config_hash", "armed")  # and not what is large
_LATEST = (
    select(
        *(cycles.c[name] for name in _NAMES),
        (cycles.c.turns + func.coalesce(going.c.turns, 0)).label("turns"),
        cycles.c.max_drift_bps,
        going.c.turns.label("more"),
        func.coalesce(going.c.max_drift_bps, 0).label("drift_since"),
    )
    .select_from(cycles.outerjoin(going, going.c.cycle == cycles.c.id))
    .where(cycles.c.vault == bindparam("vault"))
    .order_by(cycles.c.id.desc())
    .limit(1)
)
_MINE = cycles.c.id == bindparam("number")
_ADD = Prepared(insert(cycles))
_EXTEND = Prepared(update(cycles).where(_MINE))
_TOLD = delete(going).where(going.c.cycle == bindparam("number"))
_BEGIN = insert(going)
_NUMBERS = [f"number{place}" for place in range(AT_ONCE[-1])]
_GONE_ON = update(going).values(
    turns=going.c.turns + 1, at=bindparam("now"), block=bindparam("head"), hash=bindparam("named")
)
_GO_ON = {
    size: Prepared(_GONE_ON.where(going.c.cycle.in_([bindparam(name) for name in _NUMBERS[:size]]))) for size in AT_ONCE
}
_WIDEN = update(going).where(going.c.cycle == bindparam("number"))


@dataclass(slots=True)
class Streak:
    """A vault's latest cycle: its number, what another one must be like to add to it, and how far it has come."""

    number: int
    key: rules.StreakKey
    turns: int
    max_drift_bps: int
    is_going: bool = False
    """It has gone on since it was last told."""


@dataclass(slots=True)
class Streaks:
    """The latest streak of each vault, as this writer left it. Not for several threads at once."""

    _latest: dict[str, Streak | None] = field(default_factory=dict)

    def forget(self) -> None:
        """What was written did not last."""
        self._latest.clear()

    def known(self, vault: str) -> Streak | None:
        """Without asking; None where it would have to be read."""
        return self._latest.get(vault)

    def latest(self, connection: Connection, vault: str) -> Streak | None:
        if vault not in self._latest:
            row = connection.execute(_LATEST, {"vault": vault}).first()
            self._latest[vault] = None if row is None else _streak_of(row)
        return self._latest[vault]

    def record(self, connection: Connection, record: CycleRecord) -> int:
        """Adds a cycle, or extends the streak of an unchanged one. Returns the cycle's number."""
        if record.trace is not None:
            keep_trace(connection, record.vault, record.trace)
        streak = self.latest(connection, record.vault)
        if streak is None or streak.key != rules.streak_key(record):
            number = _ADD.insert(connection, rows.first_turn(record))
            streak = Streak(number, rules.key_of(record), 1, record.max_drift_bps)
            self._latest[record.vault] = streak
            return streak.number
        if streak.is_going:
            connection.execute(_TOLD, {"number": streak.number})  # the row itself says so again
            streak.is_going = False
        streak.turns += 1
        streak.max_drift_bps = max(streak.max_drift_bps, record.max_drift_bps)
        values = rows.next_turn(record, streak.turns, streak.max_drift_bps)
        _EXTEND.run(connection, {"number": streak.number, **values})
        return streak.number

    def go_on(self, connection: Connection, drifts: Mapping[str, int], block: Block) -> None:
        """One turn more for the latest cycle of each of these vaults, at its drift {bps}: nothing else is new."""
        looked = {"at": block.timestamp, "block": block.number, "hash": block.hash}
        begun, going_on, wider = [], [], []
        for vault, drift in drifts.items():
            streak = self.latest(connection, vault)
            if streak is None:
                raise JournalError(f"{vault}: expected a cycle that goes on, found none")
            if not streak.is_going:
                begun.append({"cycle": streak.number, "turns": 1, "max_drift_bps": drift, **looked})
            else:
                going_on.append(streak.number)
                if drift > streak.max_drift_bps:
                    wider.append({"number": streak.number, "max_drift_bps": drift})
            streak.turns, streak.is_going = streak.turns + 1, True
            streak.max_drift_bps = max(streak.max_drift_bps, drift)
        if begun:
            connection.execute(_BEGIN, begun)
        for first in range(0, len(going_on), AT_ONCE[-1]):
            some = going_on[first : first + AT_ONCE[-1]]
            size = next(size for size in AT_ONCE if size >= len(some))
            some += some[-1:] * (size - len(some))  # one that is named again goes on once
            here = {"now": block.timestamp, "head": block.number, "named": block.hash}
            _GO_ON[size].run(connection, dict(zip(_NUMBERS, some, strict=False)) | here)
        if wider:
            connection.execute(_WIDEN, wider)


def _streak_of(row: Any) -> Streak:
    key = rules.StreakKey(
        row.vault, row.chain_id, row.kind, row.code, tuple(row.guards), row.config_hash, bool(row.armed)
    )
    return Streak(row.id, key, row.turns, max(row.max_drift_bps, row.drift_since), row.more is not None)
