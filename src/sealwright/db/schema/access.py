"""The roles of groups."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Table, Text

from sealwright.db.schema.columns import instant_column, metadata

role_assignments = Table(
    "role_assignments",
    metadata,
    Column("role", Text, primary_key=True),
    Column("group_id", Text, ForeignKey("groups.id", ondelete="CASCADE"), primary_key=True),
    instant_column("created_at"),
    info={"about": "Which group holds which role."},
)
