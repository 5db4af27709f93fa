"""Roles, and who was granted them."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Table, Text

from sealwright.db.schema.columns import instant_column, metadata, ref_column, text_column

roles = Table(
    "roles",
    metadata,
    Column("id", Text, primary_key=True),
    text_column("description"),
    instant_column("created_at"),
    info={"about": "Roles that administrators made; the built-in ones are part of the program."},
)

role_permissions = Table(
    "role_permissions",
    metadata,
    Column("role_id", Text, ForeignKey("roles.id", ondelete="CASCADE"), primary_key=True),
    Column("permission", Text, primary_key=True),
    info={"about": "What such a role allows."},
)

role_grants = Table(
    "role_grants",
    metadata,
    Column("id", Text, primary_key=True),
    text_column("role", doc="Id of a role, built in or not"),
    ref_column("account_id", "accounts.id", nullable=True, cascade=True, doc="Who holds it: an account, or a group"),
    ref_column("group_id", "groups.id", nullable=True, cascade=True),
    text_column("scope_kind", doc="issuer, profile or provisioner; empty where it holds for everything"),
    text_column("scope_id"),
    text_column("source", doc="builtin, manual, or idp and the id of an identity provider"),
    text_column("created_by", doc="Id of the account that granted it; empty for the server itself"),
    instant_column("created_at"),
    instant_column("expires_at", nullable=True),
    Index("ix_role_grants_account_id", "account_id"),
    Index("ix_role_grants_group_id", "group_id"),
    Index("ix_role_grants_role", "role", "id"),
    info={"about": "Who holds which role, within which scope, until when, and where that came from."},
)
