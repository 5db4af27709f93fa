"""Identity providers of others, what their groups give, sign-ins that go on there, and who is linked to whom."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"


def upgrade() -> None:
    """Forward only."""
    instant = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

    def text(*names: str) -> list[sa.Column[str]]:
        return [sa.Column(name, sa.Text(), nullable=False) for name in names]

    op.create_table(
        "oidc_providers",
        *text("id", "name", "issuer_url", "client_id"),
        sa.Column("sealed_secret", sa.LargeBinary(), nullable=True),
        *text("groups_claim_path", "scopes", "downgrade_rule"),
        sa.Column("iat_window_seconds", sa.Integer(), nullable=False),
        sa.Column("enabled", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", instant, nullable=False),
        sa.Column("updated_at", instant, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_oidc_providers")),
        sa.UniqueConstraint("name", name=op.f("uq_oidc_providers_name")),
    )
    op.create_table(
        "group_role_mappings",
        *text("id", "provider_id", "group_name", "role"),
        sa.Column("created_at", instant, nullable=False),
        sa.ForeignKeyConstraint(
            ["provider_id"], ["oidc_providers.id"], name=op.f("fk_group_role_mappings_provider_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_group_role_mappings")),
    )
    op.create_index(
        "uq_group_role_mappings_provider_id_group_name_role",
        "group_role_mappings",
        ["provider_id", "group_name", "role"],
        unique=True,
    )
    op.create_table(
        "oidc_pre_login_sessions",
        *text("state_digest", "provider_id", "cookie_digest"),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", instant, nullable=False),
        sa.ForeignKeyConstraint(
            ["provider_id"], ["oidc_providers.id"], name=op.f("fk_oidc_pre_login_sessions_provider_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("state_digest", name=op.f("pk_oidc_pre_login_sessions")),
    )
    op.create_index("ix_oidc_pre_login_sessions_expires_at", "oidc_pre_login_sessions", ["expires_at"])
    op.create_table(
        "upstream_accounts",
        *text("issuer_url", "subject", "account_id", "groups"),
        sa.Column("last_sign_in_at", instant, nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_upstream_accounts_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("issuer_url", "subject", name=op.f("pk_upstream_accounts")),
    )
    op.create_index("ix_upstream_accounts_account_id", "upstream_accounts", ["account_id"])
    op.create_table(
        "upstream_sessions",
        *text("session_id", "provider_id", "upstream_sid"),
        sa.ForeignKeyConstraint(
            ["session_id"], ["sessions.id"], name=op.f("fk_upstream_sessions_session_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("session_id", name=op.f("pk_upstream_sessions")),
    )
    op.create_index("ix_upstream_sessions_provider_id", "upstream_sessions", ["provider_id"])
