"""Change trusted issuers and their rules in place: tokens of before end by the revision, and editors count as makers do."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0060"
down_revision = "0059"


def upgrade() -> None:
    """Forward only."""
    rules = "oauth_trusted_issuer_rules"
    op.add_column(rules, sa.Column("revision", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.create_table(
        "oauth_trusted_issuer_editors",
        sa.Column("issuer_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["issuer_id"],
            ["oauth_trusted_issuers.id"],
            name=op.f("fk_oauth_trusted_issuer_editors_issuer_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("issuer_id", "account_id", name=op.f("pk_oauth_trusted_issuer_editors")),
    )
