"""The past of a vault, read from the journal's tables for the next decision."""

from __future__ import annotations

from sqlalchemy import Connection, and_, func, or_, select

from keeper.core.chain import History, PastSample
from keeper.core.plan import Purpose
from keeper.core.sending import State
from keeper.journal import past, rows
from keeper.journal.commands import read_pause
from keeper.journal.latches import read_cleared, read_latches
from keeper.journal.proposals import read_open
from keeper.journal.tables import cycles, flows, intents, meta, samples
from keeper.journal.traces import read_trace


def read_history(connection: Connection, vault: str, now: int, lookback: int = 0) -> History:
    """24 hours, the last trade however old, and the samples of the last `lookback` seconds."""
    entries = _read_recent(connection, vault, now)
    mine = cycles.c.vault == vault
    latest = connection.execute(select(cycles.c.turns, cycles.c.kind).where(mine).order_by(cycles.c.id.desc()).limit(1))
    streak = latest.first()
    return History(
        trades=past.past_trades(entries, now),
        paused=past.pause_text(read_pause(connection, vault)),
        cycles_in_streak=streak.turns if streak else 0,
        seed=past.seed_of(connection.execute(select(meta.c.journal)).scalar_one(), vault),
        gas=past.past_gas(entries, now),
        calls=past.past_calls(entries, now),
        reverts=past.past_reverts(entries),
        refusals=_read_refusals(connection, vault) if streak and streak.kind == "denied" else 0,
        samples=_read_samples(connection, vault, now - lookback) if lookback else (),
        latches=read_latches(connection, vault),
        cleared=read_cleared(connection, vault),
        trace=read_trace(connection, vault),
        proposal=read_open(connection, vault),
    )


def _read_refusals(connection: Connection, vault: str) -> int:
    """Turns since the last cycle that guards did not refuse."""
    mine = cycles.c.vault == vault
    other = select(func.coalesce(func.max(cycles.c.id), 0)).where(mine, cycles.c.kind != "denied").scalar_subquery()
    return int(connection.execute(select(func.sum(cycles.c.turns)).where(mine, cycles.c.id > other)).scalar() or 0)


def _read_samples(connection: Connection, vault: str, since: int) -> tuple[PastSample, ...]:
    noted = select(samples).where(samples.c.vault == vault, samples.c.at >= since).order_by(samples.c.at)
    moved = select(flows.c.at, flows.c.value).where(flows.c.vault == vault, flows.c.at >= since)
    later = [(row.at, row.value) for row in connection.execute(moved) if row.value is not None]
    return past.past_samples((rows.sample_of(row) for row in connection.execute(noted)), later)


def _read_recent(connection: Connection, vault: str, now: int) -> list[past.Entry]:
    """What was mined in the last 24 hours, and the latest things that could be a trade or an upkeep's call."""
    mine = and_(intents.c.vault == vault, intents.c.mined_at.is_not(None))
    failed = intents.c.state.in_([str(State.FINAL_REVERTED), str(State.FINAL_CANCELLED)])
    # Five: one may still turn out to have reverted.
    latest = select(intents.c.id).where(mine, ~failed, intents.c.purpose.in_([str(Purpose.SWAP), str(Purpose.UPKEEP)]))
    latest = latest.order_by(intents.c.mined_at.desc()).limit(5)
    wanted = select(intents).where(mine, or_(intents.c.mined_at > now - past.DAY, intents.c.id.in_(latest)))
    return rows.read_entries(connection, connection.execute(wanted.order_by(intents.c.id)).all())
