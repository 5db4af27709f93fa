"""Say which writer goes on with which chain of the audit record.

Chains from before are not among them: a program of an earlier version, which may still run on another node, goes on with its own.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0051"
down_revision = "0050"


def upgrade() -> None:
    """Forward only."""
    op.create_table(
        "audit_chains",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("leased_until", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_chains")),
        sa.UniqueConstraint("holder", name=op.f("uq_audit_chains_holder")),
    )
