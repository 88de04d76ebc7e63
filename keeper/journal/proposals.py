"""Proposals in the journal: at most one open for each vault, and none a trade before its Safe has executed it.

What was executed enters the journal as the Safe's own transaction: an intent whose sender is the Safe and whose nonce
is the Safe's, final from the start, so that fills, history and costs know it as any other. It has one attempt, without
bytes: others signed it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Row, and_, insert, select, update

from keeper.core.plan import Fees
from keeper.core.proposals import Fate, OpenProposal
from keeper.core.records import NewIntent, NewProposal, Proposal
from keeper.core.sending import Attempt, Intent, Mined, Outcome, State
from keeper.core.units import Address, Wei
from keeper.journal import codec, rows, rules
from keeper.journal.tables import attempts, intents, outcomes, proposals, transitions

_MAY_STILL = sorted((Fate.OPEN, Fate.SUPERSEDED))
_WAY = (State.SIGNED, State.MAYBE_SENT, State.MINED, State.CONFIRMED, State.FINAL_OK)
"""What every transaction goes through; people took this one there."""


def propose(connection: Connection, wanted: NewProposal, why: str) -> Proposal:
    """Adds it, open. The vault's open one, if any, is superseded by it, and `why` says wherefore."""
    supersede(connection, wanted.new.vault, why)
    new = wanted.new
    values = {
        "vault": new.vault,
        "cycle": new.cycle,
        "chain_id": new.chain_id,
        "safe": new.account,
        "nonce": wanted.nonce,
        "hash": wanted.hash,
        "call": codec.call_out(new.call),
        "expect": codec.expectation_out(new.expect),
        "pools": list(new.pools),
        "deadline": new.deadline,
        "asks": new.asks,
        "at": new.at,
        "block_number": wanted.block_number,
        "fate": str(Fate.OPEN),
    }
    key = connection.execute(insert(proposals).values(values)).inserted_primary_key
    assert key is not None
    return Proposal(int(key[0]), wanted, Fate.OPEN)


def supersede(connection: Connection, vault: str, why: str) -> None:
    """People should not sign the vault's open proposal any more. Where they have, it may still be executed."""
    open_one = and_(proposals.c.vault == vault, proposals.c.fate == str(Fate.OPEN))
    connection.execute(update(proposals).where(open_one).values(fate=str(Fate.SUPERSEDED), note=why))


def end(connection: Connection, number: int, fate: Fate, at: int, note: str) -> None:
    """Executed, overtaken or expired: nothing comes of it any more."""
    may_still = and_(proposals.c.id == number, proposals.c.fate.in_(_MAY_STILL))
    connection.execute(update(proposals).where(may_still).values(fate=str(fate), ended_at=at, note=note))


def record_execution(connection: Connection, proposal: Proposal, mined: Mined, outcome: Outcome, epoch: int) -> int:
    """The Safe's transaction as a final intent with its outcome. Returns the intent's number."""
    new = proposal.proposed.new
    row = rows.new_intent_row(new, proposal.proposed.nonce)
    key = connection.execute(insert(intents).values(row)).inserted_primary_key
    assert key is not None
    number = int(key[0])
    intent = rules.reserved(new, number, proposal.proposed.nonce)
    _log(connection, number, "", State.RESERVED, mined.timestamp, epoch)
    attempt = Attempt(mined.hash, b"", Fees(Wei(0), Wei(0)), new.call.purpose, mined.timestamp)
    connection.execute(insert(attempts).values(rows.attempt_row(number, attempt, epoch)))
    intent = rules.signed(intent, attempt)
    _store(connection, State.RESERVED, intent)
    for state in _WAY[1:]:
        before, intent = intent.state, rules.moved(intent, state, mined, f"executed by owners of {new.account}")
        _store(connection, before, intent)
        _log(connection, number, before, state, mined.timestamp, epoch)
    values = rows.outcome_row(replace(outcome, intent=number, state=State.FINAL_OK), mined.timestamp)
    connection.execute(insert(outcomes).values(values))
    return number


def _store(connection: Connection, before: State, after: Intent) -> None:
    here = and_(intents.c.id == after.id, intents.c.state == str(before))
    connection.execute(update(intents).where(here).values(rows.moved_row(after)))


def _log(connection: Connection, intent: int, before: str, after: str, at: int, epoch: int) -> None:
    values = {"intent": intent, "before": str(before), "after": str(after), "note": "", "at": at, "epoch": epoch}
    connection.execute(insert(transitions).values(values))


def read_waiting(connection: Connection, chain_id: int) -> tuple[Proposal, ...]:
    """All of a chain that may still be executed, superseded ones too, oldest first."""
    return _read(connection, proposals.c.chain_id == chain_id, proposals.c.fate.in_(_MAY_STILL))


def read_last(connection: Connection, vault: str, count: int = 20) -> tuple[Proposal, ...]:
    """The vault's latest ones, whatever became of them, the newest last."""
    newest = select(proposals.c.id).where(proposals.c.vault == vault).order_by(proposals.c.id.desc()).limit(count)
    return _read(connection, proposals.c.id.in_(newest))


def read_by_cycle(connection: Connection, cycle: int) -> tuple[Proposal, ...]:
    return _read(connection, proposals.c.cycle == cycle)


def read_open(connection: Connection, vault: str) -> OpenProposal | None:
    """What the next decision must know: the latest one that may still be executed."""
    found = _read(connection, proposals.c.vault == vault, proposals.c.fate.in_(_MAY_STILL))
    if not found:
        return None
    last = found[-1]
    bargains = tuple((swap.sell, swap.min_out) for swap in last.proposed.new.expect.swaps)
    withdrawn = last.note if last.fate is Fate.SUPERSEDED else ""
    return OpenProposal(last.hash, last.proposed.nonce, last.proposed.new.deadline, bargains, withdrawn)


def is_waiting(connection: Connection, vault: str) -> bool:
    mine = and_(proposals.c.vault == vault, proposals.c.fate.in_(_MAY_STILL))
    return connection.execute(select(proposals.c.id).where(mine).limit(1)).first() is not None


def _read(connection: Connection, *conditions: Any) -> tuple[Proposal, ...]:
    found = connection.execute(select(proposals).where(*conditions).order_by(proposals.c.id))
    return tuple(_proposal(row) for row in found)


def _proposal(row: Row[Any]) -> Proposal:
    safe = Address(row.safe)
    new = NewIntent(
        vault=row.vault,
        cycle=row.cycle,
        chain_id=row.chain_id,
        sender=safe,
        account=safe,
        call=codec.call_in(row.call),
        gas_limit=0,
        deadline=row.deadline,
        pools=tuple(Address(pool) for pool in row.pools),
        at=row.at,
        expect=codec.expectation_in(row.expect),
        asks=row.asks,
    )
    proposed = NewProposal(new, row.nonce, row.hash, row.block_number)
    return Proposal(row.id, proposed, Fate(row.fate), row.note, row.ended_at)
