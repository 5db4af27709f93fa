"""Trust issuers of other systems, whose tokens are good for access tokens as rules say."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0044"
down_revision = "0043"


def upgrade() -> None:
    """Forward only."""
    instant = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "oauth_trusted_issuers",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("issuer_url", sa.Text(), nullable=False),
        sa.Column("audience", sa.Text(), nullable=False),
        sa.Column("jwks_uri", sa.Text(), nullable=True),
        sa.Column("jwks", sa.Text(), nullable=True),
        sa.Column("reusable", sa.Integer(), nullable=False),
        sa.Column("created_at", instant, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_oauth_trusted_issuers")),
        sa.UniqueConstraint("name", name=op.f("uq_oauth_trusted_issuers_name")),
        sa.UniqueConstraint("issuer_url", name=op.f("uq_oauth_trusted_issuers_issuer_url")),
    )
    op.create_table(
        "oauth_trusted_issuer_rules",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("issuer_id", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=True),
        sa.Column("conditions", sa.Text(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("lifetime_seconds", sa.Integer(), nullable=False),
        sa.Column("created_at", instant, nullable=False),
        *(
            sa.ForeignKeyConstraint(
                [column], [f"{table}.id"], name=op.f(f"fk_oauth_trusted_issuer_rules_{column}"), ondelete="CASCADE"
            )
            for column, table in (
                ("issuer_id", "oauth_trusted_issuers"),
                ("client_id", "oauth_clients"),
                ("account_id", "accounts"),
            )
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_oauth_trusted_issuer_rules")),
    )
    rules = "oauth_trusted_issuer_rules"
    op.create_index("ix_oauth_trusted_issuer_rules_issuer_id", rules, ["issuer_id", "client_id"])
    op.create_index("ix_oauth_trusted_issuer_rules_client_id", rules, ["client_id"])
    op.create_index("ix_oauth_trusted_issuer_rules_account_id", rules, ["account_id"])
