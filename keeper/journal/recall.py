"""The past of a vault, read from the journal's tables for the next decision."""

from __future__ import annotations

from sqlalchemy import Connection, and_, or_, select

from keeper.core.chain import History
from keeper.core.plan import Purpose
from keeper.core.sending import State
from keeper.journal import past, rows
from keeper.journal.commands import read_pause
from keeper.journal.tables import cycles, intents, meta


def read_history(connection: Connection, vault: str, now: int) -> History:
    """24 hours, and the last trade however old."""
    entries = _read_recent(connection, vault, now)
    latest = select(cycles.c.turns).where(cycles.c.vault == vault).order_by(cycles.c.id.desc()).limit(1)
    return History(
        trades=past.past_trades(entries, now),
        paused=past.pause_text(read_pause(connection, vault)),
        cycles_in_streak=connection.execute(latest).scalar() or 0,
        seed=past.seed_of(connection.execute(select(meta.c.journal)).scalar_one(), vault),
        gas=past.past_gas(entries, now),
    )


def _read_recent(connection: Connection, vault: str, now: int) -> list[past.Entry]:
    """What was mined in the last 24 hours, and the latest things that could be a trade."""
    mine = and_(intents.c.vault == vault, intents.c.mined_at.is_not(None))
    failed = intents.c.state.in_([str(State.FINAL_REVERTED), str(State.FINAL_CANCELLED)])
    # Five: one may still turn out to have reverted.
    latest = select(intents.c.id).where(mine, ~failed, intents.c.purpose == str(Purpose.SWAP))
    latest = latest.order_by(intents.c.mined_at.desc()).limit(5)
    wanted = select(intents).where(mine, or_(intents.c.mined_at > now - past.DAY, intents.c.id.in_(latest)))
    return rows.read_entries(connection, connection.execute(wanted.order_by(intents.c.id)).all())
