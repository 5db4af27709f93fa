"""The audit record."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, ForeignKey, Index, Table, Text, text

from sealwright.db.schema.columns import INSTANT, blob_column, instant_column, metadata, text_column


def _only(condition: str) -> dict[str, Any]:
    """An index over some of the rows: those that no one looks for by it cost no time when they are written."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


audit_events = Table(
    "audit_events",
    metadata,
    Column("writer_id", Text, primary_key=True, doc="The chain; see audit_chains"),
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
    *[
        Index(f"ix_audit_events_{column}_not_done", text(f"(outcome || {column})"), "at", **_only("outcome <> 'done'"))
        for column in ("target", "event", "actor_id", "actor_name")
    ],
    Index("ix_audit_events_request_id", "request_id", **_only("request_id <> ''")),
    info={"about": "What happened. Rows are only ever added; each covers the one before it."},
)

audit_chains = Table(
    "audit_chains",
    metadata,
    Column("id", Text, primary_key=True, doc="As writer_id in audit_events"),
    Column("holder", Text, nullable=False, unique=True, doc="The writer that adds to it; of writers that are gone the last one"),
    instant_column("leased_until", doc="Then another writer may go on with it"),
    info={"about": "Chains of audit events that writers go on with, one writer at a time."},
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

audit_sinks = Table(
    "audit_sinks",
    metadata,
    Column("id", Text, primary_key=True, doc="UUID"),
    Column("name", Text, nullable=False, unique=True),
    text_column("url", doc="https: a webhook; syslog+tls: a syslog receiver"),
    blob_column("sealed_secret", nullable=True, doc="What signs the calls to a webhook, sealed"),
    text_column("categories", doc="Those that are forwarded, joined by commas; empty for all"),
    instant_column("created_at"),
    text_column("created_by", doc="Account that made it"),
    instant_column("next_try_at"),
    Column("tries", INSTANT, nullable=False, doc="Failures since the last success"),
    text_column("last_error", nullable=True),
    instant_column("last_sent_at", nullable=True),
    Column("sent", INSTANT, nullable=False, doc="Events that it took"),
    info={"about": "Where events are forwarded to."},
)

audit_sink_positions = Table(
    "audit_sink_positions",
    metadata,
    Column("sink_id", Text, ForeignKey("audit_sinks.id", ondelete="CASCADE"), primary_key=True),
    Column("writer_id", Text, primary_key=True, doc="A chain of audit_events"),
    Column("sequence", INSTANT, nullable=False, doc="The last event of it that the sink took"),
    sqlite_with_rowid=False,
    info={"about": "How far each sink is in each chain. What follows waits to be forwarded."},
)
