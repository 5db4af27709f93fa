"""Remember for a year what people allowed to clients and took back. What they allow already begins it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"


def upgrade() -> None:
    """Forward only."""
    instant = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "oauth_consent_history",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("at", instant, nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("given", sa.Integer(), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_oauth_consent_history_account_id_accounts"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", "at", "client_id", "given", name=op.f("pk_oauth_consent_history")),
    )
    op.create_index("ix_oauth_consent_history_at", "oauth_consent_history", ["at"])
    op.execute(
        'INSERT INTO oauth_consent_history (account_id, "at", client_id, given, display_name, scope)'
        " SELECT s.account_id, s.granted_at, s.client_id, 1, c.display_name, s.scope"
        " FROM oauth_consents s JOIN oauth_clients c ON c.id = s.client_id"
    )
