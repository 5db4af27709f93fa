"""The leases of work that must run once across nodes."""

from __future__ import annotations

from sqlalchemy import Column, Table, Text

from sealwright.db.schema.columns import instant_column, metadata, text_column

leases = Table(
    "leases",
    metadata,
    Column("name", Text, primary_key=True),
    text_column("holder", doc="A process"),
    instant_column("until"),
    info={"about": "Which process does what must be done once in a cluster."},
)
