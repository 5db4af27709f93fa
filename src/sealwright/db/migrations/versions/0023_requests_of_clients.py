"""Add pushed authorization requests, and for whom and for what beyond scopes tokens are."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    """Forward only."""
    instant = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "oauth_pushed_requests",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("expires_at", instant, nullable=False),
        sa.Column("consumed_at", instant, nullable=True),
        sa.ForeignKeyConstraint(
            ["client_id"], ["oauth_clients.id"], name=op.f("fk_oauth_pushed_requests_client_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_oauth_pushed_requests")),
    )
    op.create_index("ix_oauth_pushed_requests_client_id", "oauth_pushed_requests", ["client_id"])
    op.create_index("ix_oauth_pushed_requests_expires_at", "oauth_pushed_requests", ["expires_at"])
    op.add_column("oauth_families", sa.Column("resources", sa.Text(), server_default=sa.text("''"), nullable=False))
    op.add_column("oauth_families", sa.Column("authorization_details", sa.Text(), nullable=True))
