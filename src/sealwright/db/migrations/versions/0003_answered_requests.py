"""Keep only which authorization requests were answered: a waiting one is held by its own handle.

Requests that wait at this moment are told to be no longer open, and begin again at their application.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Forward only."""
    op.create_table(
        "oauth_answered_requests",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_oauth_answered_requests")),
    )
    op.execute(
        "INSERT INTO oauth_answered_requests (digest, expires_at)"
        " SELECT digest, expires_at FROM oauth_requests WHERE consumed_at IS NOT NULL"
    )
    op.drop_table("oauth_requests")
