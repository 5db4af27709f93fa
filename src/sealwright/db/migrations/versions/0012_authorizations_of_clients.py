"""Let an authorization be a client's own, without a person and a session."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

_CHILDREN = ("oauth_codes", "oauth_refresh_tokens")


def upgrade() -> None:
    """Forward only."""
    instant = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    rebuilt = op.get_bind().dialect.name == "sqlite"  # it drops the old table, and what hangs on its rows goes with them
    for table in _CHILDREN if rebuilt else ():
        op.execute(f"CREATE TEMPORARY TABLE kept_{table} AS SELECT * FROM {table}")  # noqa: S608 - names of this file
    with op.batch_alter_table("oauth_families") as families:
        families.alter_column("account_id", existing_type=sa.Text(), nullable=True)
        families.alter_column("session_id", existing_type=sa.Text(), nullable=True)
        families.alter_column("authenticated_at", existing_type=instant, nullable=True)
    for table in _CHILDREN if rebuilt else ():
        op.execute(f"INSERT OR IGNORE INTO {table} SELECT * FROM kept_{table}")  # noqa: S608 - names of this file
        op.execute(f"DROP TABLE kept_{table}")
