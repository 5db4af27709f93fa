"""Find what was revoked, what no one can say was signed, and what ends soon; short-lived certificates are in none of these."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0046"
down_revision = "0045"

_INDEXES = (
    ("revoked", ["serial"], "revoked_at IS NOT NULL"),
    ("unresolved", ["serial"], "state = 'maybe_signed'"),
    ("lasting", ["not_after", "serial"], "not_after - not_before > 172800000"),
)


def upgrade() -> None:
    """Forward only."""
    for name, columns, condition in _INDEXES:
        part = sa.text(condition)
        op.create_index(f"ix_certificates_{name}", "certificates", columns, sqlite_where=part, postgresql_where=part)
