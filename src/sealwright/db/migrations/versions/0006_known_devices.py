"""Remember from which devices people signed in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Forward only."""
    instant = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "known_devices",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("user_agent", sa.Text(), nullable=False),
        sa.Column("created_at", instant, nullable=False),
        sa.Column("last_used_at", instant, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_known_devices_account_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_known_devices")),
        sa.UniqueConstraint("account_id", "digest", name=op.f("uq_known_devices_account_id_digest")),
    )
    op.create_index("ix_known_devices_digest", "known_devices", ["digest"])
