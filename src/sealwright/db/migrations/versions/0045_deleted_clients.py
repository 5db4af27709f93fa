"""Keep deleted clients for a while."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0044"


def upgrade() -> None:
    """Forward only."""
    instant = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "oauth_deleted_clients",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("secret_digest", sa.LargeBinary(), nullable=True),
        sa.Column("sealed_secret", sa.LargeBinary(), nullable=True),
        sa.Column("image", sa.LargeBinary(), nullable=True),
        sa.Column("deleted_at", instant, nullable=False),
        sa.Column("deleted_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_oauth_deleted_clients")),
        sa.UniqueConstraint("name", name=op.f("uq_oauth_deleted_clients_name")),
    )
