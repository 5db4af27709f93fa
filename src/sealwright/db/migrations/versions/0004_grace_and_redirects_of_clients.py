"""What a client is allowed beside the rules: a grace for used refresh tokens, plain http redirects, a part of the scopes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Forward only."""
    for name in ("http_redirects", "partial_scopes", "refresh_grace_seconds"):
        op.add_column("oauth_clients", sa.Column(name, sa.Integer(), nullable=False, server_default=sa.text("0")))
    op.execute("UPDATE oauth_clients SET refresh_grace_seconds = 10 WHERE kind = 'confidential'")
    op.add_column("oauth_refresh_tokens", sa.Column("sealed_successor", sa.LargeBinary(), nullable=True))
