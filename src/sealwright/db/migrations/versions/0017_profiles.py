"""Keep attributes and SSH keys of people, and tell names to those clients that have been told them whatever they asked for."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Forward only."""
    instant = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    for table, key, value, dated in (
        ("person_attributes", "name", "value", sa.Column("verified_at", instant, nullable=True)),
        ("ssh_public_keys", "tag", "public_key", sa.Column("created_at", instant, nullable=False)),
    ):
        op.create_table(
            table,
            *(sa.Column(name, sa.Text(), nullable=False) for name in ("account_id", key, value)),
            dated,
            sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f(f"fk_{table}_account_id"), ondelete="CASCADE"),
            sa.PrimaryKeyConstraint("account_id", key, name=op.f(f"pk_{table}")),
        )
    connection = op.get_bind()
    found = connection.execute(sa.text("SELECT id, settings FROM oauth_clients WHERE kind = 'confidential'")).all()
    changed = [{"id": row[0], "settings": json.dumps(json.loads(row[1]) | {"names_without_profile": True})} for row in found]
    if changed:
        connection.execute(sa.text("UPDATE oauth_clients SET settings = :settings WHERE id = :id"), changed)
