"""The journal's tables as they are now. Migrations lead here; a test compares the two.

Times are Unix seconds. Amounts are exact decimal text (a uint256 fits no integer column), JSON is deterministic.
"""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)

from keeper.core.sending import FINAL, LIVE, UNFINAL, State
from keeper.journal.codec import dumps


class Exact(TypeDecorator[int]):
    """An integer of any size, as decimal text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: Any) -> str | None:  # noqa: ARG002
        if value is not None and type(value) is not int:
            raise TypeError(f"exact amount: expected int, was {type(value).__name__}")
        return None if value is None else str(value)

    def process_result_value(self, value: str | None, dialect: Any) -> int | None:  # noqa: ARG002
        return None if value is None else int(value)


class Json(TypeDecorator[Any]):
    """Deterministic JSON text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Any) -> str | None:  # noqa: ARG002
        return None if value is None else dumps(value)

    def process_result_value(self, value: str | None, dialect: Any) -> Any:  # noqa: ARG002
        return None if value is None else json.loads(value)


Int = BigInteger().with_variant(Integer(), "sqlite")
"""64 bits everywhere; SQLite numbers its rows only where a column is called INTEGER."""

metadata = MetaData()


def _listed(states: frozenset[State]) -> str:
    return ", ".join(f"'{state}'" for state in sorted(states))


def _number() -> Column[int]:
    return Column("id", Int, primary_key=True, autoincrement=True)


def _text(name: str, default: str | None = None) -> Column[str]:
    return Column(name, Text, nullable=False, server_default=default)


def _int(name: str, default: int | None = None) -> Column[int]:
    return Column(name, Int, nullable=False, server_default=None if default is None else text(str(default)))


meta = Table(
    "meta",
    metadata,
    Column("id", Int, primary_key=True),
    _text("journal"),  # random, made once: seeds follow from it
    _int("epoch"),  # raised by every opening for writing; a write names its own
    _text("keeper"),  # version of the last writer
    _int("wrote_at"),
    CheckConstraint("id = 1", name="one_row"),
)

# PostgreSQL only: who may write, and until when. A file has a lock beside it instead.
lease = Table(
    "lease",
    metadata,
    Column("id", Int, primary_key=True, autoincrement=False),
    _text("holder"),
    _int("epoch"),
    _int("expires"),  # {ms} by the database's own clock
    CheckConstraint("id = 1", name="one_lease"),
)

configs = Table("configs", metadata, Column("hash", Text, primary_key=True), _text("body"), _int("at"))

pins = Table(
    "pins",
    metadata,
    _number(),
    _text("config_hash"),
    _int("chain_id"),
    _text("body"),
    _int("at"),
    Index("pins_by_config", "config_hash", "chain_id"),
    sqlite_autoincrement=True,
)

cycles = Table(
    "cycles",
    metadata,
    _number(),
    _text("vault"),
    _int("chain_id"),
    _text("kind"),
    _text("code"),
    _text("reason"),  # of the latest turn
    Column("guards", Json, nullable=False),
    _text("config_hash"),
    _int("armed"),
    _int("turns"),
    _int("max_drift_bps"),  # the widest of the streak
    _int("first_at"),
    _int("first_block"),
    _text("first_hash"),
    Column("first_decision", Json, nullable=False),
    Column("first_inputs", LargeBinary, nullable=False),
    _int("last_at"),
    _int("last_block"),
    _text("last_hash"),
    Column("last_decision", Json),  # null while the streak is one turn long
    Column("last_inputs", LargeBinary),
    Index("cycles_by_vault", "vault", "id"),
    Index("cycles_by_time", "last_at"),
    sqlite_autoincrement=True,
)

# How far a streak has gone since its row was written. Narrow, as each tick writes it for every vault that merely goes
# on: a row of cycles is fifty times as long, and would have to be written anew.
going = Table(
    "going",
    metadata,
    Column("cycle", Int, ForeignKey("cycles.id"), primary_key=True, autoincrement=False),
    _int("turns"),
    _int("max_drift_bps"),
    _int("at"),
    _int("block"),
    _text("hash"),
)

intents = Table(
    "intents",
    metadata,
    _number(),
    _text("vault"),
    # Null for what no cycle decided. One cycle starts one transaction at most.
    Column("cycle", Int, ForeignKey("cycles.id"), unique=True),
    _int("chain_id"),
    _text("sender"),
    _text("account"),
    _int("nonce"),
    Column("call", Json, nullable=False),
    _text("purpose"),
    Column("expect", Json, nullable=False),
    _int("gas_limit"),
    _int("deadline"),
    Column("pools", Json, nullable=False),
    _text("state"),
    _int("created_at"),
    Column("mined", Json),
    Column("mined_at", Int),
    Column("mined_block", Int),
    _text("note", ""),
    _int("abandoned", 0),  # cancelled before anything was signed: the nonce is free again
    CheckConstraint(f"state IN ({_listed(LIVE | UNFINAL | FINAL)})", name="known_state"),
    CheckConstraint("nonce >= 0", name="nonce_not_negative"),
    Index(
        "intents_one_per_nonce",
        "chain_id",
        "sender",
        "nonce",
        unique=True,
        sqlite_where=text("abandoned = 0"),
        postgresql_where=text("abandoned = 0"),
    ),
    # Two that were sent may be live at once after a reorg; two that were not yet sent never are.
    Index(
        "intents_one_unsent_per_sender",
        "chain_id",
        "sender",
        unique=True,
        sqlite_where=text("state IN ('RESERVED', 'SIGNED')"),
        postgresql_where=text("state IN ('RESERVED', 'SIGNED')"),
    ),
    Index("intents_by_state", "chain_id", "state"),
    Index("intents_by_vault", "vault", "mined_at"),
    sqlite_autoincrement=True,
)

attempts = Table(
    "attempts",
    metadata,
    _number(),
    Column("intent", Int, ForeignKey("intents.id"), nullable=False, index=True),
    Column("hash", Text, nullable=False, unique=True),
    Column("raw", LargeBinary, nullable=False),
    Column("cap", Exact, nullable=False),
    Column("tip", Exact),
    _text("purpose"),
    _int("at"),
    _int("epoch"),
    sqlite_autoincrement=True,
)

transitions = Table(
    "transitions",
    metadata,
    _number(),
    Column("intent", Int, ForeignKey("intents.id"), nullable=False, index=True),
    _text("before"),
    _text("after"),
    _text("note"),
    _int("at"),
    _int("epoch"),
    sqlite_autoincrement=True,
)

outcomes = Table(
    "outcomes",
    metadata,
    Column("intent", Int, ForeignKey("intents.id"), primary_key=True, autoincrement=False),
    _text("state"),
    Column("mined", Json),
    Column("fill", Json),
    Column("gas_value", Exact),  # values: USD, raw
    Column("fee_value", Exact),
    Column("impact_value", Exact),
    Column("others_value", Exact),
    _text("reason"),
    Column("deltas", Json, nullable=False),
    _int("at"),
)

adoptions = Table(
    "adoptions",
    metadata,
    _number(),
    _int("chain_id"),
    _text("sender"),
    _int("next_nonce"),
    _text("by"),
    _text("reason"),
    _int("at"),
    sqlite_autoincrement=True,
)

samples = Table(
    "samples",
    metadata,
    _number(),
    _text("vault"),
    _int("slot"),  # the beginning of the hour, or of what is set instead
    _int("at"),
    _int("block_number"),
    Column("balances", Json, nullable=False),
    Column("prices", Json, nullable=False),
    Column("value", Exact, nullable=False),
    Column("weights", Json, nullable=False),
    UniqueConstraint("vault", "slot"),
    sqlite_autoincrement=True,
)

observed = Table(
    "observed",
    metadata,
    Column("vault", Text, primary_key=True),
    _int("at"),
    _int("block_number"),
    Column("balances", Json, nullable=False),
)

flows = Table(
    "flows",
    metadata,
    _number(),
    _text("vault"),
    _int("at"),
    _int("block_number"),
    Column("amount", Json, nullable=False),
    Column("value", Exact),  # USD, raw; null where the token had no price
    Index("flows_by_vault", "vault", "at"),
    sqlite_autoincrement=True,
)

# Transactions of Safes for their owners to sign. What was executed is an intent, too.
proposals = Table(
    "proposals",
    metadata,
    _number(),
    _text("vault"),
    Column("cycle", Int, ForeignKey("cycles.id"), nullable=False),
    _int("chain_id"),
    _text("safe"),
    _int("nonce"),  # the Safe's
    _text("hash"),
    Column("call", Json, nullable=False),
    Column("expect", Json, nullable=False),
    Column("pools", Json, nullable=False),
    _int("deadline"),
    _text("asks"),  # why people are asked
    _int("at"),
    _int("block_number"),
    _text("fate"),
    _text("note", ""),
    Column("ended_at", Int),  # null while it may still be executed
    Index(
        "proposals_one_open",
        "vault",
        unique=True,
        sqlite_where=text("fate = 'open'"),
        postgresql_where=text("fate = 'open'"),
    ),
    Index("proposals_by_fate", "chain_id", "fate"),
    sqlite_autoincrement=True,
)

# What a peg knows of its past: one row for each vault that keeps one.
traces = Table("traces", metadata, Column("vault", Text, primary_key=True), Column("body", Json, nullable=False))

halts = Table(
    "halts",
    metadata,
    _number(),
    Column("scope", Text, nullable=False, index=True),
    _text("reason"),
    _int("at"),
    Column("cleared_at", Int),
    Column("cleared_by", Text),
    Column("cleared_reason", Text),
    Column("breaker", Text),  # which one latched it; null where a person or a check did
    Column("rest", Int),  # {s} until it lets go; null: by hand
    Column("trial", Exact),  # USD, raw: the most that the trade may be worth which must succeed first
    Column("trying_at", Int),  # when its trial began
    sqlite_autoincrement=True,
)

pauses = Table("pauses", metadata, Column("vault", Text, primary_key=True), _text("reason"), _text("by"), _int("at"))

# A run that died has no end.
runs = Table(
    "runs",
    metadata,
    _number(),
    _int("at"),  # when it began to act
    _int("waited"),  # {s} before that, as others had died
    Column("ended_at", Int),
    sqlite_autoincrement=True,
)

requests = Table(
    "requests",
    metadata,
    _number(),
    _text("action"),
    _text("vault"),
    _text("reason"),
    _text("by"),
    _int("at"),
    Column("answer", Text),
    Column("answered_at", Int),
    sqlite_autoincrement=True,
)

beats = Table(
    "beats",
    metadata,
    Column("chain_id", Int, primary_key=True, autoincrement=False),
    _int("at"),
    _int("block_number"),
    _text("text"),
)
