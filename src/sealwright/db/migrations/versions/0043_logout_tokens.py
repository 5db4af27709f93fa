"""Remember the logout tokens of identity providers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0042"


def upgrade() -> None:
    """Forward only."""
    op.create_table(
        "upstream_logout_tokens",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("kept_until", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_upstream_logout_tokens")),
    )
    op.create_index("ix_upstream_logout_tokens_kept_until", "upstream_logout_tokens", ["kept_until"])
