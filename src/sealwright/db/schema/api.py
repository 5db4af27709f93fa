"""Calls of the management API that may be repeated."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, LargeBinary, Table

from sealwright.db.schema.columns import blob_column, instant_column, metadata, text_column

idempotent_calls = Table(
    "idempotent_calls",
    metadata,
    Column("digest", LargeBinary, primary_key=True, doc="Of the account and the Idempotency-Key"),
    blob_column("request_digest", doc="Of method, path, query and body"),
    Column("status", Integer, nullable=True, doc="HTTP status of the answer; null while the call runs"),
    text_column("headers", doc="JSON: headers of the answer"),
    blob_column("body", nullable=True, doc="The answer; null where it holds a secret, which is not stored"),
    instant_column("expires_at"),
    Index("ix_idempotent_calls_expires_at", "expires_at"),
    info={"about": "Calls of the API with an Idempotency-Key, for a day: a repeated one is answered and not done again."},
)
