"""Let applications with offline_access outlive the sign-in, and ask anew everyone who had allowed it while it did not."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

_WITHOUT = "trim(replace(' ' || scope || ' ', ' offline_access ', ' '))"


def upgrade() -> None:
    """Forward only."""
    instant = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.add_column("sessions", sa.Column("revoked_at", instant, nullable=True))
    for table in ("oauth_consents", "oauth_families"):
        op.execute(f"UPDATE {table} SET scope = {_WITHOUT} WHERE ' ' || scope || ' ' LIKE '% offline_access %'")  # noqa: S608 - names of this file
