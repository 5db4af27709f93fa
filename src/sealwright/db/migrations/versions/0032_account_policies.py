"""Keep what groups ask of the sign-ins of their members, and which sessions may only meet it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"


def upgrade() -> None:
    """Forward only."""
    op.add_column("sessions", sa.Column("restricted", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.create_table(
        "account_policies",
        sa.Column("group_id", sa.Text(), nullable=False),
        sa.Column("auth_expiry", sa.Integer(), nullable=True),
        sa.Column("privilege_expiry", sa.Integer(), nullable=True),
        sa.Column("credential_minimum", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["group_id"], ["groups.id"], name=op.f("fk_account_policies_group_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("group_id", name=op.f("pk_account_policies")),
    )
