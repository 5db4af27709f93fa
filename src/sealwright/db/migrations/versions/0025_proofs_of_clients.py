"""Add what a refresh token is bound to, and the assertions of clients that were used."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    """Forward only."""
    instant = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.add_column("oauth_refresh_tokens", sa.Column("bound_to", sa.Text(), nullable=True))
    op.create_table(
        "oauth_used_jwts",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("kept_until", instant, nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_oauth_used_jwts")),
    )
    op.create_index(op.f("ix_oauth_used_jwts_kept_until"), "oauth_used_jwts", ["kept_until"])
