"""Let clients share an issuer."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    """Forward only."""
    instant = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "oauth_issuers",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", instant, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_oauth_issuers")),
        sa.UniqueConstraint("name", name=op.f("uq_oauth_issuers_name")),
    )
    if op.get_bind().dialect.name == "sqlite":  # it takes the reference only together with the column
        op.execute(
            "ALTER TABLE oauth_clients ADD COLUMN issuer_id TEXT"
            " CONSTRAINT fk_oauth_clients_issuer_id REFERENCES oauth_issuers (id)"
        )
    else:
        op.add_column("oauth_clients", sa.Column("issuer_id", sa.Text(), nullable=True))
        op.create_foreign_key(op.f("fk_oauth_clients_issuer_id"), "oauth_clients", "oauth_issuers", ["issuer_id"], ["id"])
    op.create_index("ix_oauth_clients_issuer_id", "oauth_clients", ["issuer_id", "name"])
