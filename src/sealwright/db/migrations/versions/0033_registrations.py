"""Let clients register themselves."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"


def upgrade() -> None:
    """Forward only."""
    instant = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "oauth_registration_tokens",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", instant, nullable=False),
        sa.Column("expires_at", instant, nullable=False),
        sa.Column("uses_left", sa.Integer(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("group_id", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["group_id"], ["groups.id"], name=op.f("fk_oauth_registration_tokens_group_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_oauth_registration_tokens")),
        sa.UniqueConstraint("digest", name=op.f("uq_oauth_registration_tokens_digest")),
    )
    op.create_index("ix_oauth_registration_tokens_expires_at", "oauth_registration_tokens", ["expires_at"])
    op.create_index("ix_oauth_registration_tokens_group_id", "oauth_registration_tokens", ["group_id"])
    op.create_table(
        "oauth_registrations",
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("access_token_digest", sa.LargeBinary(), nullable=True),
        sa.Column("registration_token_id", sa.Text(), nullable=True),
        sa.Column("created_at", instant, nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id"], ["oauth_clients.id"], name=op.f("fk_oauth_registrations_client_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("client_id", name=op.f("pk_oauth_registrations")),
        sa.UniqueConstraint("access_token_digest", name=op.f("uq_oauth_registrations_access_token_digest")),
    )
    op.create_index("ix_oauth_registrations_registration_token_id", "oauth_registrations", ["registration_token_id"])
