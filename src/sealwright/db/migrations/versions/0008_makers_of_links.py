"""Know who made a link, so that it opens no more than they may open when it is used."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Forward only. A link of an unknown maker opens accounts that carry no authority."""
    op.add_column("one_time_links", sa.Column("created_by", sa.Text(), nullable=True))
