"""Schema 1: the first. Frozen: what comes later is a migration of its own."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text()
BYTES = sa.LargeBinary()
STATES = (
    "'CONFIRMED', 'EXTERNAL', 'FINAL_CANCELLED', 'FINAL_OK', 'FINAL_REVERTED', "
    "'MAYBE_SENT', 'MINED', 'RESERVED', 'SENT', 'SIGNED'"
)


def upgrade() -> None:
    op.create_table(
        "adoptions",
        sa.Column("id", INT, autoincrement=True, nullable=False),
        sa.Column("chain_id", INT, nullable=False),
        sa.Column("sender", TEXT, nullable=False),
        sa.Column("next_nonce", INT, nullable=False),
        sa.Column("by", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("at", INT, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "beats",
        sa.Column("chain_id", INT, autoincrement=False, nullable=False),
        sa.Column("at", INT, nullable=False),
        sa.Column("block_number", INT, nullable=False),
        sa.Column("text", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("chain_id"),
    )
    op.create_table(
        "configs",
        sa.Column("hash", TEXT, nullable=False),
        sa.Column("body", TEXT, nullable=False),
        sa.Column("at", INT, nullable=False),
        sa.PrimaryKeyConstraint("hash"),
    )
    op.create_table(
        "cycles",
        sa.Column("id", INT, autoincrement=True, nullable=False),
        sa.Column("vault", TEXT, nullable=False),
        sa.Column("chain_id", INT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("code", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("guards", TEXT, nullable=False),
        sa.Column("config_hash", TEXT, nullable=False),
        sa.Column("armed", INT, nullable=False),
        sa.Column("turns", INT, nullable=False),
        sa.Column("max_drift_bps", INT, nullable=False),
        sa.Column("first_at", INT, nullable=False),
        sa.Column("first_block", INT, nullable=False),
        sa.Column("first_hash", TEXT, nullable=False),
        sa.Column("first_decision", TEXT, nullable=False),
        sa.Column("first_inputs", BYTES, nullable=False),
        sa.Column("last_at", INT, nullable=False),
        sa.Column("last_block", INT, nullable=False),
        sa.Column("last_hash", TEXT, nullable=False),
        sa.Column("last_decision", TEXT, nullable=True),
        sa.Column("last_inputs", BYTES, nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("cycles_by_time", "cycles", ["last_at"], unique=False)
    op.create_index("cycles_by_vault", "cycles", ["vault", "id"], unique=False)
    op.create_table(
        "flows",
        sa.Column("id", INT, autoincrement=True, nullable=False),
        sa.Column("vault", TEXT, nullable=False),
        sa.Column("at", INT, nullable=False),
        sa.Column("block_number", INT, nullable=False),
        sa.Column("amount", TEXT, nullable=False),
        sa.Column("value", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("flows_by_vault", "flows", ["vault", "at"], unique=False)
    op.create_table(
        "halts",
        sa.Column("id", INT, autoincrement=True, nullable=False),
        sa.Column("scope", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("at", INT, nullable=False),
        sa.Column("cleared_at", INT, nullable=True),
        sa.Column("cleared_by", TEXT, nullable=True),
        sa.Column("cleared_reason", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_halts_scope"), "halts", ["scope"], unique=False)
    op.create_table(
        "meta",
        sa.Column("id", INT, nullable=False),
        sa.Column("journal", TEXT, nullable=False),
        sa.Column("epoch", INT, nullable=False),
        sa.Column("keeper", TEXT, nullable=False),
        sa.Column("wrote_at", INT, nullable=False),
        sa.CheckConstraint("id = 1", name="one_row"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "observed",
        sa.Column("vault", TEXT, nullable=False),
        sa.Column("at", INT, nullable=False),
        sa.Column("block_number", INT, nullable=False),
        sa.Column("balances", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("vault"),
    )
    op.create_table(
        "pauses",
        sa.Column("vault", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("by", TEXT, nullable=False),
        sa.Column("at", INT, nullable=False),
        sa.PrimaryKeyConstraint("vault"),
    )
    op.create_table(
        "requests",
        sa.Column("id", INT, autoincrement=True, nullable=False),
        sa.Column("action", TEXT, nullable=False),
        sa.Column("vault", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("by", TEXT, nullable=False),
        sa.Column("at", INT, nullable=False),
        sa.Column("answer", TEXT, nullable=True),
        sa.Column("answered_at", INT, nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "samples",
        sa.Column("id", INT, autoincrement=True, nullable=False),
        sa.Column("vault", TEXT, nullable=False),
        sa.Column("slot", INT, nullable=False),
        sa.Column("at", INT, nullable=False),
        sa.Column("block_number", INT, nullable=False),
        sa.Column("balances", TEXT, nullable=False),
        sa.Column("prices", TEXT, nullable=False),
        sa.Column("value", TEXT, nullable=False),
        sa.Column("weights", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("vault", "slot"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "intents",
        sa.Column("id", INT, autoincrement=True, nullable=False),
        sa.Column("vault", TEXT, nullable=False),
        sa.Column("cycle", INT, nullable=True),
        sa.Column("chain_id", INT, nullable=False),
        sa.Column("sender", TEXT, nullable=False),
        sa.Column("account", TEXT, nullable=False),
        sa.Column("nonce", INT, nullable=False),
        sa.Column("call", TEXT, nullable=False),
        sa.Column("purpose", TEXT, nullable=False),
        sa.Column("expect", TEXT, nullable=False),
        sa.Column("gas_limit", INT, nullable=False),
        sa.Column("deadline", INT, nullable=False),
        sa.Column("pools", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("created_at", INT, nullable=False),
        sa.Column("mined", TEXT, nullable=True),
        sa.Column("mined_at", INT, nullable=True),
        sa.Column("mined_block", INT, nullable=True),
        sa.Column("note", TEXT, server_default="", nullable=False),
        sa.Column("abandoned", INT, server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint(
            f"state IN ({STATES})",
            name="known_state",
        ),
        sa.CheckConstraint("nonce >= 0", name="nonce_not_negative"),
        sa.ForeignKeyConstraint(
            ["cycle"],
            ["cycles.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("cycle"),
        sqlite_autoincrement=True,
    )
    op.create_index("intents_by_state", "intents", ["chain_id", "state"], unique=False)
    op.create_index("intents_by_vault", "intents", ["vault", "mined_at"], unique=False)
    op.create_index(
        "intents_one_per_nonce",
        "intents",
        ["chain_id", "sender", "nonce"],
        unique=True,
        sqlite_where=sa.text("abandoned = 0"),
        postgresql_where=sa.text("abandoned = 0"),
    )
    op.create_index(
        "intents_one_unsent_per_sender",
        "intents",
        ["chain_id", "sender"],
        unique=True,
        sqlite_where=sa.text("state IN ('RESERVED', 'SIGNED')"),
        postgresql_where=sa.text("state IN ('RESERVED', 'SIGNED')"),
    )
    op.create_table(
        "attempts",
        sa.Column("id", INT, autoincrement=True, nullable=False),
        sa.Column("intent", INT, nullable=False),
        sa.Column("hash", TEXT, nullable=False),
        sa.Column("raw", BYTES, nullable=False),
        sa.Column("cap", TEXT, nullable=False),
        sa.Column("tip", TEXT, nullable=True),
        sa.Column("purpose", TEXT, nullable=False),
        sa.Column("at", INT, nullable=False),
        sa.Column("epoch", INT, nullable=False),
        sa.ForeignKeyConstraint(
            ["intent"],
            ["intents.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("hash"),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_attempts_intent"), "attempts", ["intent"], unique=False)
    op.create_table(
        "outcomes",
        sa.Column("intent", INT, autoincrement=False, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("mined", TEXT, nullable=True),
        sa.Column("fill", TEXT, nullable=True),
        sa.Column("gas_value", TEXT, nullable=True),
        sa.Column("fee_value", TEXT, nullable=True),
        sa.Column("impact_value", TEXT, nullable=True),
        sa.Column("others_value", TEXT, nullable=True),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("deltas", TEXT, nullable=False),
        sa.Column("at", INT, nullable=False),
        sa.ForeignKeyConstraint(
            ["intent"],
            ["intents.id"],
        ),
        sa.PrimaryKeyConstraint("intent"),
    )
    op.create_table(
        "transitions",
        sa.Column("id", INT, autoincrement=True, nullable=False),
        sa.Column("intent", INT, nullable=False),
        sa.Column("before", TEXT, nullable=False),
        sa.Column("after", TEXT, nullable=False),
        sa.Column("note", TEXT, nullable=False),
        sa.Column("at", INT, nullable=False),
        sa.Column("epoch", INT, nullable=False),
        sa.ForeignKeyConstraint(
            ["intent"],
            ["intents.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_transitions_intent"), "transitions", ["intent"], unique=False)
