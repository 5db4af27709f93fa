"""Tell of a certificate for which client's access token it was issued."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0055"
down_revision = "0054"


def upgrade() -> None:
    """Forward only."""
    op.add_column("certificates", sa.Column("client_id", sa.Text(), nullable=True))
