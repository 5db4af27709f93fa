"""Let groups ask for longer passwords and say who edits their mail, and mark the hashes of other servers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"


def upgrade() -> None:
    """Forward only."""
    op.add_column("account_policies", sa.Column("password_minimum_length", sa.Integer(), nullable=True))
    op.add_column("account_policies", sa.Column("self_mail_write", sa.Integer(), nullable=True))
    op.add_column("credentials", sa.Column("foreign_hash", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.create_index("ix_credentials_foreign_hash", "credentials", ["foreign_hash"])
    op.get_bind().execute(
        sa.text("UPDATE credentials SET foreign_hash = 1 WHERE kind = 'password' AND substr(secret, 1, 10) <> :own"),
        {"own": b"$argon2id$"},
    )
