"""Find events by request, actor, kind and outcome."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"


def upgrade() -> None:
    """Forward only."""
    op.add_column("audit_events", sa.Column("request_id", sa.Text(), nullable=False, server_default=""))
    op.create_index("ix_audit_events_event", "audit_events", ["event", "at"])
    op.create_index("ix_audit_events_actor_id", "audit_events", ["actor_id", "at"])
    op.create_index("ix_audit_events_actor_name", "audit_events", ["actor_name", "at"])
    _create_partial("ix_audit_events_outcome", ["outcome", "at"], "outcome <> 'done'")
    _create_partial("ix_audit_events_request_id", ["request_id"], "request_id <> ''")


def _create_partial(name: str, columns: list[str], condition: str) -> None:
    where = sa.text(condition)
    op.create_index(name, "audit_events", columns, sqlite_where=where, postgresql_where=where)
