"""Queue messages that bring no one-time link."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0056"
down_revision = "0055"


def upgrade() -> None:
    """Forward only."""
    with op.batch_alter_table("mail_outbox") as outbox:
        outbox.alter_column("link_digest", existing_type=sa.LargeBinary(), nullable=True)
