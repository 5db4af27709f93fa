"""Keep why sign-ins with identity providers came out as they did, and what more can be set on a provider."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"


def upgrade() -> None:
    """Forward only."""
    instant = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.add_column("oidc_providers", sa.Column("userinfo_groups", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.add_column("oidc_providers", sa.Column("allowed_email_domains", sa.Text(), server_default=sa.text("'[]'"), nullable=False))
    op.add_column(
        "oidc_providers", sa.Column("jwks_cache_ttl_seconds", sa.Integer(), server_default=sa.text("3600"), nullable=False)
    )
    op.create_table(
        "upstream_sign_ins",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("at", instant, nullable=False),
        sa.Column("provider_id", sa.Text(), nullable=False),
        sa.Column("provider_name", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("hint", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("seen", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_upstream_sign_ins")),
    )
    op.create_index("ix_upstream_sign_ins_at", "upstream_sign_ins", ["at", "id"])
    op.create_index("ix_upstream_sign_ins_provider_id", "upstream_sign_ins", ["provider_id", "at", "id"])
