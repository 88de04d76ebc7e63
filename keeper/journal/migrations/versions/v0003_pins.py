"""Schema 3: what a chain said of a configuration at start, so that a decision can be made again without the chain."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "pins",
        sa.Column("id", INT, nullable=False),
        sa.Column("config_hash", sa.Text(), nullable=False),
        sa.Column("chain_id", INT, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("at", INT, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("pins_by_config", "pins", ["config_hash", "chain_id"], unique=False)
