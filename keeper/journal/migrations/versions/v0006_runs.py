"""Schema 6: when the daemon began to act, and whether it ended itself."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "runs",
        sa.Column("id", INT, nullable=False),
        sa.Column("at", INT, nullable=False),
        sa.Column("waited", INT, nullable=False),
        sa.Column("ended_at", INT, nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
