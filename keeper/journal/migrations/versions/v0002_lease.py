"""Schema 2: who may write, and until when."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "lease",
        sa.Column("id", INT, autoincrement=False, nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("epoch", INT, nullable=False),
        sa.Column("expires", INT, nullable=False),
        sa.CheckConstraint("id = 1", name="one_lease"),
        sa.PrimaryKeyConstraint("id"),
    )
