"""Find by an index what refers to a group, a client or a person, and what is over."""

from __future__ import annotations

from alembic import op

revision = "0031"
down_revision = "0030"

_INDEXES = (
    ("api_tokens", "expires_at", ("expires_at",)),
    ("known_devices", "last_used_at", ("last_used_at",)),
    ("mail_outbox", "account_id", ("account_id",)),
    ("oauth_claim_maps", "group_id", ("group_id",)),
    ("oauth_consents", "client_id", ("client_id",)),
    ("oauth_scope_maps", "group_id", ("group_id",)),
    ("oauth_supplementary_scope_maps", "group_id", ("group_id",)),
    ("one_time_links", "account_id", ("account_id",)),
    ("one_time_links", "expires_at", ("expires_at",)),
    ("pending_sign_ins", "account_id", ("account_id",)),
    ("pending_sign_ins", "expires_at", ("expires_at",)),
    ("sessions", "expires_at", ("expires_at", "id")),
    ("throttles", "counted_since", ("counted_since",)),
    ("used_challenges", "expires_at", ("expires_at",)),
)


def upgrade() -> None:
    """Forward only."""
    for table, name, columns in _INDEXES:
        op.create_index(f"ix_{table}_{name}", table, list(columns))
