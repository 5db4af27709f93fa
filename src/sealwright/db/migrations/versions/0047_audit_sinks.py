"""Forward events to other systems."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0047"
down_revision = "0046"


def upgrade() -> None:
    """Forward only."""
    instant = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "audit_sinks",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("sealed_secret", sa.LargeBinary(), nullable=True),
        sa.Column("categories", sa.Text(), nullable=False),
        sa.Column("created_at", instant, nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("next_try_at", instant, nullable=False),
        sa.Column("tries", instant, nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("last_sent_at", instant, nullable=True),
        sa.Column("sent", instant, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_sinks")),
        sa.UniqueConstraint("name", name=op.f("uq_audit_sinks_name")),
    )
    op.create_table(
        "audit_sink_positions",
        sa.Column("sink_id", sa.Text(), nullable=False),
        sa.Column("writer_id", sa.Text(), nullable=False),
        sa.Column("sequence", instant, nullable=False),
        sa.ForeignKeyConstraint(
            ["sink_id"], ["audit_sinks.id"], name=op.f("fk_audit_sink_positions_sink_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("sink_id", "writer_id", name=op.f("pk_audit_sink_positions")),
        sqlite_with_rowid=False,
    )
