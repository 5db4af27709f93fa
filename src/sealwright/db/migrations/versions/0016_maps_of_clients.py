"""Map groups to supplementary scopes and to claims."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Forward only."""
    for table, columns in (
        ("oauth_supplementary_scope_maps", ("client_id", "group_id")),
        ("oauth_claim_maps", ("client_id", "claim", "group_id")),
    ):
        values = "scopes" if "claim" not in columns else "claim_values"
        op.create_table(
            table,
            *(sa.Column(name, sa.Text(), nullable=False) for name in (*columns, values)),
            sa.ForeignKeyConstraint(["client_id"], ["oauth_clients.id"], name=op.f(f"fk_{table}_client_id"), ondelete="CASCADE"),
            sa.ForeignKeyConstraint(["group_id"], ["groups.id"], name=op.f(f"fk_{table}_group_id"), ondelete="CASCADE"),
            sa.PrimaryKeyConstraint(*columns, name=op.f(f"pk_{table}")),
        )
    op.create_table(
        "oauth_claim_joins",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("client_id", "claim", "joined")),
        sa.ForeignKeyConstraint(
            ["client_id"], ["oauth_clients.id"], name=op.f("fk_oauth_claim_joins_client_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("client_id", "claim", name=op.f("pk_oauth_claim_joins")),
    )
