"""Keep messages until they are sent."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Forward only."""
    instant = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "mail_outbox",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("link_digest", sa.LargeBinary(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("sealed_content", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", instant, nullable=False),
        sa.Column("next_try_at", instant, nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("last_failure", sa.Text(), nullable=True),
        sa.Column("expires_at", instant, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_mail_outbox_account_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["link_digest"], ["one_time_links.digest"], name=op.f("fk_mail_outbox_link_digest"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_outbox")),
    )
    op.create_index("ix_mail_outbox_next_try_at", "mail_outbox", ["next_try_at"])
    op.create_index("ix_mail_outbox_link_digest", "mail_outbox", ["link_digest"])
