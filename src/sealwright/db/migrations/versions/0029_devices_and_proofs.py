"""Add requests of devices, DPoP proofs that were used, and the keys that codes are bound to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    """Forward only."""
    instant = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "oauth_device_requests",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("user_code_digest", sa.LargeBinary(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("created_at", instant, nullable=False),
        sa.Column("expires_at", instant, nullable=False),
        sa.Column("next_poll_at", instant, nullable=False),
        sa.Column("interval_ms", sa.Integer(), nullable=False),
        sa.Column("family_id", sa.Text(), nullable=True),
        sa.Column("denied_at", instant, nullable=True),
        sa.Column("consumed_at", instant, nullable=True),
        sa.ForeignKeyConstraint(
            ["client_id"], ["oauth_clients.id"], name=op.f("fk_oauth_device_requests_client_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["family_id"], ["oauth_families.id"], name=op.f("fk_oauth_device_requests_family_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_oauth_device_requests")),
        sa.UniqueConstraint("user_code_digest", name=op.f("uq_oauth_device_requests_user_code_digest")),
    )
    op.create_index("ix_oauth_device_requests_client_id", "oauth_device_requests", ["client_id"])
    op.create_index("ix_oauth_device_requests_family_id", "oauth_device_requests", ["family_id"])
    op.create_index("ix_oauth_device_requests_expires_at", "oauth_device_requests", ["expires_at"])
    op.create_table(
        "oauth_dpop_proofs",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", instant, nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_oauth_dpop_proofs")),
    )
    op.create_index("ix_oauth_dpop_proofs_expires_at", "oauth_dpop_proofs", ["expires_at"])
    op.add_column("oauth_codes", sa.Column("dpop_jkt", sa.Text(), nullable=True))
