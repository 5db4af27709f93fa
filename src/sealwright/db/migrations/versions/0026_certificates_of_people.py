"""Index only the certificates that speak for a person: for all others the index was written and never read."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"

_OF_PEOPLE = sa.text("account_id IS NOT NULL")


def upgrade() -> None:
    """Forward only."""
    op.drop_index("ix_certificates_account_id", table_name="certificates")
    op.create_index(
        "ix_certificates_account_id",
        "certificates",
        ["account_id", "serial"],
        sqlite_where=_OF_PEOPLE,
        postgresql_where=_OF_PEOPLE,
    )
