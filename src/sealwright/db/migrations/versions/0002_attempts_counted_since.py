"""Call the moment from which failed attempts are forgotten by what it is."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Forward only."""
    op.execute("ALTER TABLE throttles RENAME COLUMN last_failure_at TO counted_since")
