"""Schema 7: transactions of Safes that wait for their owners."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "proposals",
        sa.Column("id", INT, autoincrement=True, nullable=False),
        sa.Column("vault", sa.Text(), nullable=False),
        sa.Column("cycle", INT, nullable=False),
        sa.Column("chain_id", INT, nullable=False),
        sa.Column("safe", sa.Text(), nullable=False),
        sa.Column("nonce", INT, nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("call", sa.Text(), nullable=False),
        sa.Column("expect", sa.Text(), nullable=False),
        sa.Column("pools", sa.Text(), nullable=False),
        sa.Column("deadline", INT, nullable=False),
        sa.Column("asks", sa.Text(), nullable=False),
        sa.Column("at", INT, nullable=False),
        sa.Column("block_number", INT, nullable=False),
        sa.Column("fate", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("ended_at", INT, nullable=True),
        sa.ForeignKeyConstraint(["cycle"], ["cycles.id"]),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "proposals_one_open",
        "proposals",
        ["vault"],
        unique=True,
        sqlite_where=sa.text("fate = 'open'"),
        postgresql_where=sa.text("fate = 'open'"),
    )
    op.create_index("proposals_by_fate", "proposals", ["chain_id", "fate"])
