"""Keep the confirm tokens of assistants."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0049"
down_revision = "0048"


def upgrade() -> None:
    """Forward only."""
    op.create_table(
        "assistant_confirm_tokens",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("call_digest", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_assistant_confirm_tokens_account_id_accounts"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_assistant_confirm_tokens")),
    )
    op.create_index("ix_assistant_confirm_tokens_account_id", "assistant_confirm_tokens", ["account_id"])
    op.create_index("ix_assistant_confirm_tokens_expires_at", "assistant_confirm_tokens", ["expires_at"])
