"""Nouns as rows and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select

from keeper.core.calls import Purpose
from keeper.core.plan import Fees
from keeper.core.records import CycleRecord, NewIntent, Sample
from keeper.core.sending import LIVE, UNFINAL, Attempt, Intent, Outcome, State
from keeper.core.units import USD, Address, Token, TokenAmount, Wei
from keeper.journal import codec
from keeper.journal.past import Entry
from keeper.journal.rules import is_abandoned
from keeper.journal.tables import attempts, intents, outcomes

Values = dict[str, Any]


# --- cycles ----------------------------------------------------------------------------------------------------------


def first_turn(record: CycleRecord) -> Values:
    """A streak of one."""
    return {
        "vault": record.vault,
        "chain_id": record.chain_id,
        "kind": record.kind,
        "code": record.code,
        "reason": record.reason,
        "guards": list(record.guards),
        "config_hash": record.config_hash,
        "armed": int(record.armed),
        "turns": 1,
        "max_drift_bps": record.max_drift_bps,
        "first_at": record.at,
        "first_block": record.block_number,
        "first_hash": record.block_hash,
        "first_decision": dict(record.decision),
        "first_inputs": record.inputs,
        "last_at": record.at,
        "last_block": record.block_number,
        "last_hash": record.block_hash,
    }


def next_turn(record: CycleRecord, turns: int, max_drift_bps: int) -> Values:
    """What changes in a streak with one more turn that is told. `turns` and drift are those of the whole streak."""
    return {
        "reason": record.reason,
        "turns": turns,
        "max_drift_bps": max_drift_bps,
        "last_at": record.at,
        "last_block": record.block_number,
        "last_hash": record.block_hash,
        "last_decision": dict(record.decision),
        "last_inputs": record.inputs,
    }


# --- intents and attempts --------------------------------------------------------------------------------------------


def new_intent_row(new: NewIntent, nonce: int) -> Values:
    return {
        "vault": new.vault,
        "cycle": new.cycle or None,
        "chain_id": new.chain_id,
        "sender": new.sender,
        "account": new.account,
        "nonce": nonce,
        "call": codec.call_out(new.call),
        "purpose": str(new.call.purpose),
        "expect": codec.expectation_out(new.expect),
        "gas_limit": new.gas_limit,
        "deadline": new.deadline,
        "pools": list(new.pools),
        "state": str(State.RESERVED),
        "created_at": new.at,
    }


def moved_row(intent: Intent) -> Values:
    """The columns of an intent that change on its way."""
    return {
        "state": str(intent.state),
        "mined": codec.mined_out(intent.mined),
        "mined_at": intent.mined.timestamp if intent.mined else None,
        "mined_block": intent.mined.block_number if intent.mined else None,
        "note": intent.note,
        "abandoned": int(is_abandoned(intent)),
    }


def attempt_row(intent: int, attempt: Attempt, epoch: int) -> Values:
    return {
        "intent": intent,
        "hash": attempt.hash,
        "raw": attempt.raw,
        "cap": int(attempt.fees.cap),
        "tip": None if attempt.fees.tip is None else int(attempt.fees.tip),
        "purpose": str(attempt.purpose),
        "at": attempt.at,
        "epoch": epoch,
    }


def attempt_of(row: Row[Any]) -> Attempt:
    tip = None if row.tip is None else Wei(row.tip)
    return Attempt(row.hash, bytes(row.raw), Fees(Wei(row.cap), tip), Purpose(row.purpose), row.at)


def intent_of(row: Row[Any], tried: Sequence[Attempt]) -> Intent:
    return Intent(
        id=row.id,
        vault=row.vault,
        cycle=row.cycle or 0,
        chain_id=row.chain_id,
        sender=Address(row.sender),
        nonce=row.nonce,
        call=codec.call_in(row.call),
        gas_limit=row.gas_limit,
        deadline=row.deadline,
        pools=tuple(Address(pool) for pool in row.pools),
        state=State(row.state),
        created_at=row.created_at,
        attempts=tuple(tried),
        mined=codec.mined_in(row.mined),
        note=row.note,
    )


def new_intent_of(row: Row[Any]) -> NewIntent:
    """What was asked for, as it was before it had a nonce."""
    return NewIntent(
        vault=row.vault,
        cycle=row.cycle or 0,
        chain_id=row.chain_id,
        sender=Address(row.sender),
        account=Address(row.account),
        call=codec.call_in(row.call),
        gas_limit=row.gas_limit,
        deadline=row.deadline,
        pools=tuple(Address(pool) for pool in row.pools),
        at=row.created_at,
        expect=codec.expectation_in(row.expect),
    )


# Built once, as building them takes longer than running them.
_ATTEMPTS = select(attempts).where(attempts.c.intent.in_(bindparam("numbers", expanding=True))).order_by(attempts.c.id)
_INTENT = select(intents).where(intents.c.id == bindparam("number"))
_UNFINISHED = (
    select(intents)
    .where(intents.c.chain_id == bindparam("chain_id"), intents.c.state.in_([str(s) for s in sorted(LIVE | UNFINAL)]))
    .order_by(intents.c.id)
)


def read_attempts(connection: Connection, numbers: Iterable[int]) -> Mapping[int, Sequence[Attempt]]:
    """Attempts of these intents, oldest first."""
    found: dict[int, list[Attempt]] = {number: [] for number in numbers}
    if found:
        for row in connection.execute(_ATTEMPTS, {"numbers": list(found)}):
            found[row.intent].append(attempt_of(row))
    return found


def read_intents(connection: Connection, *conditions: Any) -> tuple[Intent, ...]:
    """Oldest first."""
    return _intents(connection, connection.execute(select(intents).where(*conditions).order_by(intents.c.id)).all())


def read_intent(connection: Connection, number: int) -> Intent | None:
    found = _intents(connection, connection.execute(_INTENT, {"number": number}).all())
    return found[0] if found else None


def read_unfinished(connection: Connection, chain_id: int) -> tuple[Intent, ...]:
    """Live and unfinal ones, oldest first."""
    return _intents(connection, connection.execute(_UNFINISHED, {"chain_id": chain_id}).all())


def _intents(connection: Connection, rows: Sequence[Row[Any]]) -> tuple[Intent, ...]:
    tried = read_attempts(connection, [row.id for row in rows])
    return tuple(intent_of(row, tried[row.id]) for row in rows)


# --- outcomes and samples --------------------------------------------------------------------------------------------


def _usd_out(amount: TokenAmount | None) -> int | None:
    if amount is not None and amount.token != USD:
        raise TypeError(f"cost: expected USD, was {amount.token.symbol}")
    return None if amount is None else amount.raw


def usd_in(raw: int | None) -> TokenAmount | None:
    return None if raw is None else TokenAmount(USD, raw)


def outcome_row(outcome: Outcome, at: int) -> Values:
    return {
        "intent": outcome.intent,
        "state": str(outcome.state),
        "mined": codec.mined_out(outcome.mined),
        "fill": codec.fill_out(outcome.fill),
        "gas_value": _usd_out(outcome.gas_value),
        "fee_value": _usd_out(outcome.fee_value),
        "impact_value": _usd_out(outcome.impact_value),
        "others_value": _usd_out(outcome.others_value),
        "reason": outcome.reason,
        "deltas": codec.by_token_out(outcome.deltas),
        "at": at,
    }


def outcome_of(row: Row[Any]) -> Outcome:
    return Outcome(
        intent=row.intent,
        state=State(row.state),
        mined=codec.mined_in(row.mined),
        fill=codec.fill_in(row.fill),
        gas_value=usd_in(row.gas_value),
        fee_value=usd_in(row.fee_value),
        impact_value=usd_in(row.impact_value),
        others_value=usd_in(row.others_value),
        reason=row.reason,
        deltas={token: int(raw) for token, raw in codec.by_token_in(row.deltas).items()},
    )


def read_outcomes(connection: Connection, numbers: Sequence[int]) -> Mapping[int, Outcome]:
    if not numbers:
        return {}
    rows = connection.execute(select(outcomes).where(outcomes.c.intent.in_(numbers)))
    return {row.intent: outcome_of(row) for row in rows}


def read_entries(connection: Connection, found: Sequence[Row[Any]]) -> list[Entry]:
    """Intents of these rows with what was expected and what came of it."""
    numbers = [row.id for row in found]
    tried, ended = read_attempts(connection, numbers), read_outcomes(connection, numbers)
    return [Entry(intent_of(row, tried[row.id]), new_intent_of(row).expect, ended.get(row.id)) for row in found]


def sample_row(sample: Sample, slot: int) -> Values:
    return {
        "vault": sample.vault,
        "slot": slot,
        "at": sample.at,
        "block_number": sample.block_number,
        "balances": codec.balances_out(sample.balances),
        "prices": codec.by_token_out(sample.prices),
        "value": _usd_out(sample.value),
        "weights": codec.by_token_out(sample.weights),
    }


def sample_of(row: Row[Any]) -> Sample:
    weights: dict[Token, int] = {token: int(bps) for token, bps in codec.by_token_in(row.weights).items()}
    return Sample(
        vault=row.vault,
        at=row.at,
        block_number=row.block_number,
        balances=codec.balances_in(row.balances),
        prices=codec.by_token_in(row.prices),
        value=TokenAmount(USD, row.value),
        weights=weights,
    )
