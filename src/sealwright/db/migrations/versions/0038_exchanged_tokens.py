"""Remember what an authorization was exchanged for, so that it ends with that."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"


def upgrade() -> None:
    """Forward only."""
    op.add_column("oauth_families", sa.Column("origin", sa.Text(), nullable=True))
