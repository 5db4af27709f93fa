"""Add the claims that are granted one by one, and how the person had proved who they are."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """Forward only."""
    op.add_column("oauth_families", sa.Column("methods", sa.Text(), server_default=sa.text("''"), nullable=False))
    op.add_column("oauth_families", sa.Column("claims", sa.Text(), nullable=True))
    op.add_column("oauth_consents", sa.Column("claims", sa.Text(), server_default=sa.text("''"), nullable=False))
