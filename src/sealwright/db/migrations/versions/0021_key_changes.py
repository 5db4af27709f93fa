"""Count the changes of keys, so that every process notices soon that another one revoked one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    """Forward only. The row comes with the first change."""
    op.create_table(
        "key_changes",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("changes", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_key_changes")),
    )
