"""API keys of people, and what they were used for."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, LargeBinary, Table, Text

from sealwright.db.schema.columns import instant_column, metadata, ref_column, text_column

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Text, primary_key=True),
    ref_column("account_id", "accounts.id", cascade=True),
    Column("digest", LargeBinary, nullable=False, unique=True),
    text_column("name"),
    text_column("beginning", doc="Its first characters, by which a key that was found somewhere is told"),
    text_column("scopes", doc="Permissions and roles, separated by spaces"),
    text_column("session_id", doc="The session in which it was made; may be gone"),
    instant_column("created_at"),
    instant_column("expires_at", doc="Of one that was rotated: the end of the overlap"),
    instant_column("last_used_at", nullable=True),
    text_column("last_address", doc="IP address of the last use; empty before the first"),
    instant_column("replaced_at", nullable=True, doc="When it was rotated"),
    instant_column("revoked_at", nullable=True),
    Index("ix_api_keys_account_id", "account_id"),
    Index("ix_api_keys_expires_at", "expires_at"),
    info={"about": "API keys of people; one that was revoked or has expired stays for a month."},
)

api_key_uses = Table(
    "api_key_uses",
    metadata,
    Column("key_id", Text, ForeignKey("api_keys.id", ondelete="CASCADE"), primary_key=True),
    Column("permission", Text, primary_key=True),
    instant_column("last_used_at", doc="To the hour"),
    info={"about": "Permissions that API keys were used with, by which their scope is narrowed."},
)
