"""Find what was refused or failed by its event, actor and target, however much of it was done."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0057"
down_revision = "0056"


def upgrade() -> None:
    """Forward only."""
    where = sa.text("outcome <> 'done'")
    for column in ("target", "event", "actor_id", "actor_name"):
        key = sa.text(f"(outcome || {column})")
        name = f"ix_audit_events_{column}_not_done"
        op.create_index(name, "audit_events", [key, "at"], sqlite_where=where, postgresql_where=where)
