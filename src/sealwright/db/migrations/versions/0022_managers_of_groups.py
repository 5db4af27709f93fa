"""Keep who manages a group without a permission for all groups."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    """Forward only."""
    op.add_column("groups", sa.Column("managed_by", sa.Text(), nullable=True))
