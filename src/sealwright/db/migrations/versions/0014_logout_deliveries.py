"""Keep logout tokens until clients take them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Forward only."""
    instant = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "oauth_logout_deliveries",
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("created_at", instant, nullable=False),
        sa.Column("next_try_at", instant, nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("last_failure", sa.Text(), nullable=True),
        sa.Column("expires_at", instant, nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id"], ["oauth_clients.id"], name=op.f("fk_oauth_logout_deliveries_client_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("client_id", "session_id", name=op.f("pk_oauth_logout_deliveries")),
    )
    op.create_index("ix_oauth_logout_deliveries_next_try_at", "oauth_logout_deliveries", ["next_try_at"])
    op.create_index("ix_oauth_logout_deliveries_session_id", "oauth_logout_deliveries", ["session_id"])
