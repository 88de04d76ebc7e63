"""Schema 8: streaks that go on without a word, apart from what was said of them."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "going",
        sa.Column("cycle", INT, autoincrement=False, nullable=False),
        sa.Column("turns", INT, nullable=False),
        sa.Column("max_drift_bps", INT, nullable=False),
        sa.Column("at", INT, nullable=False),
        sa.Column("block", INT, nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["cycle"], ["cycles.id"]),
        sa.PrimaryKeyConstraint("cycle"),
    )
