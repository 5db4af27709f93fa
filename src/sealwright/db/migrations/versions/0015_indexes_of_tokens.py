"""Find the tokens of an authorization, and what is over, by an index."""

from __future__ import annotations

from alembic import op

revision = "0015"
down_revision = "0014"

_INDEXES = (
    ("oauth_families", "client_id", ("client_id",)),
    ("oauth_families", "created_at", ("created_at", "id")),
    ("oauth_answered_requests", "expires_at", ("expires_at",)),
    ("oauth_codes", "family_id", ("family_id",)),
    ("oauth_refresh_tokens", "family_id", ("family_id",)),
    ("oauth_refresh_tokens", "expires_at", ("expires_at",)),
)


def upgrade() -> None:
    """Forward only."""
    for table, name, columns in _INDEXES:
        op.create_index(f"ix_{table}_{name}", table, list(columns))
