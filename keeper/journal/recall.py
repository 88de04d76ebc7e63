"""The past of a vault, read from the journal's tables for the next decision."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import BindParameter, Connection, and_, bindparam, func, or_, select

from keeper.core.calls import Purpose
from keeper.core.chain import History, PastSample
from keeper.core.latches import Latch
from keeper.core.pegs import Trace
from keeper.core.proposals import OpenProposal
from keeper.core.records import Sample
from keeper.core.sending import State
from keeper.journal import past, rows
from keeper.journal.commands import read_pause
from keeper.journal.latches import read_cleared, read_latches
from keeper.journal.proposals import read_open
from keeper.journal.streaks import Streaks
from keeper.journal.tables import cycles, flows, intents, meta, samples
from keeper.journal.traces import read_trace

_SEED = select(meta.c.journal)
_VAULT: BindParameter[str] = bindparam("vault")
_SINCE: BindParameter[int] = bindparam("since")
_MINE = and_(intents.c.vault == _VAULT, intents.c.mined_at.is_not(None))
_FAILED = intents.c.state.in_([str(State.FINAL_REVERTED), str(State.FINAL_CANCELLED)])
_ACTED = intents.c.purpose.in_([str(Purpose.SWAP), str(Purpose.UPKEEP)])
# Five: one may still turn out to have reverted.
_LATEST = select(intents.c.id).where(_MINE, ~_FAILED, _ACTED).order_by(intents.c.mined_at.desc()).limit(5)
_RECENT = (
    select(intents, intents.c.id.in_(_LATEST).label("lasts"))
    .where(_MINE, or_(intents.c.mined_at > _SINCE, intents.c.id.in_(_LATEST)))
    .order_by(intents.c.id)
)
_OTHER = select(func.coalesce(func.max(cycles.c.id), 0)).where(cycles.c.vault == _VAULT, cycles.c.kind != "denied")
_REFUSED = select(func.sum(cycles.c.turns)).where(cycles.c.vault == _VAULT, cycles.c.id > _OTHER.scalar_subquery())
_SAMPLES = select(samples).where(samples.c.vault == _VAULT, samples.c.at >= _SINCE).order_by(samples.c.at)
_FLOWS = select(flows.c.at, flows.c.value).where(flows.c.vault == _VAULT, flows.c.at >= _SINCE)


@dataclass(frozen=True, slots=True)
class Past:
    """What was read of a vault at `now` {Unix seconds}: its history at any later time, until something is written."""

    now: int
    lookback: int
    entries: tuple[tuple[past.Entry, bool], ...]
    """With whether it counts however old it becomes."""
    paused: str
    seed: int
    refusals: int
    noted: tuple[Sample, ...]
    flowed: tuple[tuple[int, int], ...]
    latches: tuple[Latch, ...]
    cleared: tuple[tuple[str, int], ...]
    trace: Trace | None
    proposal: OpenProposal | None

    def reaches(self, now: int, lookback: int) -> bool:
        """Whether it holds all that a history at that time tells."""
        return now >= self.now and lookback <= self.lookback

    def at(self, now: int, turns: int, lookback: int = 0) -> History:
        """`turns` is how long the latest streak is by then."""
        entries = [entry for entry, lasts in self.entries if lasts or _mined_at(entry) > now - past.DAY]
        return History(
            trades=past.past_trades(entries, now),
            paused=self.paused,
            cycles_in_streak=turns,
            seed=self.seed,
            gas=past.past_gas(entries, now),
            calls=past.past_calls(entries, now),
            reverts=past.past_reverts(entries),
            refusals=self.refusals,
            samples=self._samples(now - lookback) if lookback else (),
            latches=self.latches,
            cleared=self.cleared,
            trace=self.trace,
            proposal=self.proposal,
        )

    def _samples(self, since: int) -> tuple[PastSample, ...]:
        return past.past_samples((sample for sample in self.noted if sample.at >= since), self.flowed)


def read_history(connection: Connection, vault: str, now: int, lookback: int = 0) -> History:
    """24 hours, the last trade however old, and the samples of the last `lookback` seconds."""
    streak = Streaks().latest(connection, vault)
    return read_past(connection, vault, now, lookback).at(now, streak.turns if streak else 0, lookback)


def read_past(connection: Connection, vault: str, now: int, lookback: int) -> Past:
    found = connection.execute(_RECENT, {"vault": vault, "since": now - past.DAY}).all()
    window = {"vault": vault, "since": now - lookback}
    noted = connection.execute(_SAMPLES, window).all() if lookback else ()
    flowed = connection.execute(_FLOWS, window).all() if lookback else ()
    return Past(
        now=now,
        lookback=lookback,
        entries=tuple(zip(rows.read_entries(connection, found), (bool(row.lasts) for row in found), strict=True)),
        paused=past.pause_text(read_pause(connection, vault)),
        seed=past.seed_of(connection.execute(_SEED).scalar_one(), vault),
        refusals=int(connection.execute(_REFUSED, {"vault": vault}).scalar() or 0),
        noted=tuple(rows.sample_of(row) for row in noted),
        flowed=tuple((row.at, row.value) for row in flowed if row.value is not None),
        latches=read_latches(connection, vault),
        cleared=read_cleared(connection, vault),
        trace=read_trace(connection, vault),
        proposal=read_open(connection, vault),
    )


def _mined_at(entry: past.Entry) -> int:
    assert entry.intent.mined is not None, "only what was mined is read"
    return entry.intent.mined.timestamp
