"""The audit record."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, Index, Table, Text, text

from sealwright.db.schema.columns import INSTANT, blob_column, instant_column, metadata, text_column


def _only(condition: str) -> dict[str, Any]:
    """An index over some of the rows: those that nobody looks for by it cost no time when they are written."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


audit_events = Table(
    "audit_events",
    metadata,
    Column("writer_id", Text, primary_key=True, doc="One chain per writer"),
    Column("sequence", INSTANT, primary_key=True, doc="Counts from 1 in each chain"),
    instant_column("at"),
    text_column("event", doc="See the list of events"),
    text_column("outcome", doc="done, refused or failed"),
    text_column("actor_kind"),
    text_column("actor_id"),
    text_column("actor_name"),
    text_column("target", doc="What it was done to, as kind:id"),
    text_column("details", doc="JSON object, never a secret"),
    blob_column("previous", doc="Digest of the row before, in the same chain"),
    blob_column("digest", doc="SHA-256 over the previous digest and the other columns"),
    Column("request_id", Text, nullable=False, server_default="", doc="Of the request that caused it; empty where none did"),
    Index("ix_audit_events_at", "at"),
    Index("ix_audit_events_target", "target", "at"),
    Index("ix_audit_events_event", "event", "at"),
    Index("ix_audit_events_actor_id", "actor_id", "at"),
    Index("ix_audit_events_actor_name", "actor_name", "at"),
    Index("ix_audit_events_outcome", "outcome", "at", **_only("outcome <> 'done'")),
    Index("ix_audit_events_request_id", "request_id", **_only("request_id <> ''")),
    info={"about": "What happened. Rows are only ever added; each covers the one before it."},
)

audit_names = Table(
    "audit_names",
    metadata,
    Column("name", Text, primary_key=True),
    Column("target", Text, primary_key=True, doc="As in audit_events"),
    Column("at", INSTANT, primary_key=True),
    sqlite_with_rowid=False,
    info={"about": "What things were called when they were created or deleted, to find the events of those that are gone."},
)
