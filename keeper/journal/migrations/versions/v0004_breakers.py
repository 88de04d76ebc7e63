"""Schema 4: halts that breakers latched, and how each lets go."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("halts", sa.Column("breaker", sa.Text(), nullable=True))
    op.add_column("halts", sa.Column("rest", INT, nullable=True))
    op.add_column("halts", sa.Column("trial", sa.Text(), nullable=True))
    op.add_column("halts", sa.Column("trying_at", INT, nullable=True))
