"""Find what someone manages by an index: their account page shows it, however many groups and accounts there are."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0059"
down_revision = "0058"


def upgrade() -> None:
    """Forward only."""
    where = sa.text("managed_by IS NOT NULL")
    for table in ("accounts", "groups"):
        op.create_index(f"ix_{table}_managed_by", table, ["managed_by"], sqlite_where=where, postgresql_where=where)
