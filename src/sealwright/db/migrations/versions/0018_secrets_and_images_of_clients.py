"""Let the secret of a client before its present one work on for a while, and keep an image of each application."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Forward only."""
    instant = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.add_column("oauth_clients", sa.Column("previous_secret_digest", sa.LargeBinary(), nullable=True))
    op.add_column("oauth_clients", sa.Column("previous_secret_ends_at", instant, nullable=True))
    op.create_table(
        "oauth_client_images",
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id"], ["oauth_clients.id"], name=op.f("fk_oauth_client_images_client_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("client_id", name=op.f("pk_oauth_client_images")),
    )
    op.create_index("ix_oauth_client_images_digest", "oauth_client_images", ["digest"])
