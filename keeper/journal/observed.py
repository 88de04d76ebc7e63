"""What a vault held when it was last looked at, and the flows between two looks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, and_, insert, select, update

from keeper.core.sending import LIVE, State
from keeper.core.units import Price, Token, TokenAmount
from keeper.journal import codec, rows
from keeper.journal.flows import Changes, Flow, changes_of, compute_flows, value_flow
from keeper.journal.proposals import is_waiting
from keeper.journal.tables import flows, intents, observed


def record_balances(
    connection: Connection,
    vault: str,
    at: int,
    block: int,
    balances: Mapping[Token, TokenAmount],
    prices: Mapping[Token, Price],
) -> tuple[Flow, ...] | None:
    """Stores this look and the flows since the one before. None, and nothing is stored, where ours cannot be told from
    theirs, or a later look is known."""
    seen = connection.execute(select(observed).where(observed.c.vault == vault)).first()
    now = {"at": at, "block_number": block, "balances": codec.balances_out(balances)}
    if seen is None:
        if _is_busy(connection, vault):
            return None
        connection.execute(insert(observed).values(vault=vault, **now))
        return ()
    if block <= seen.block_number or _is_busy(connection, vault):
        return None
    own = _own_changes(connection, vault, seen.block_number, block, balances)
    if own is None:
        return None
    amounts = compute_flows(codec.balances_in(seen.balances), balances, own)
    if not own and now["balances"] == seen.balances:
        return ()  # the older look explains as much
    found = tuple(Flow(vault, at, block, amount, value_flow(amount, prices)) for amount in amounts)
    connection.execute(update(observed).where(observed.c.vault == vault).values(now))
    if found:
        connection.execute(insert(flows), [flow_row(flow) for flow in found])
    return found


def _is_busy(connection: Connection, vault: str) -> bool:
    """Where a proposal waits, its Safe may have executed it since: what it did is known once that is final."""
    if is_waiting(connection, vault):
        return True
    live = and_(intents.c.vault == vault, intents.c.state.in_(sorted(LIVE)))
    return connection.execute(select(intents.c.id).where(live).limit(1)).first() is not None


def _own_changes(
    connection: Connection, vault: str, after: int, until: int, tokens: Mapping[Token, TokenAmount]
) -> list[Changes] | None:
    """Of our transactions in the blocks after `after` up to `until`; None where an outcome is still to come."""
    here = and_(intents.c.vault == vault, intents.c.mined_block > after, intents.c.mined_block <= until)
    between = connection.execute(select(intents).where(here).order_by(intents.c.id)).all()
    numbers = [row.id for row in between]
    tried, ended = rows.read_attempts(connection, numbers), rows.read_outcomes(connection, numbers)
    if any(row.state == State.CONFIRMED and row.id not in ended for row in between):
        return None
    return [changes_of(rows.intent_of(row, tried[row.id]), ended.get(row.id), row.account, tokens) for row in between]


def flow_row(flow: Flow) -> dict[str, Any]:
    return {
        "vault": flow.vault,
        "at": flow.at,
        "block_number": flow.block_number,
        "amount": codec.amount_out(flow.amount),
        "value": None if flow.value is None else flow.value.raw,
    }


def flow_of(row: Any) -> Flow:
    amount = codec.amount_in(row.amount)
    assert amount is not None
    return Flow(row.vault, row.at, row.block_number, amount, rows.usd_in(row.value))
