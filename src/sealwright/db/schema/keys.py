"""The signing keys."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, Table, Text

from sealwright.db.schema.columns import blob_column, instant_column, metadata, text_column

signing_keys = Table(
    "signing_keys",
    metadata,
    Column("id", Text, primary_key=True, doc="RFC 7638 thumbprint, which is also the kid"),
    text_column("purpose", doc="root, issuer, oauth_client, oauth_issuer or audit"),
    text_column("owner", doc="What the key belongs to: an issuer's or a client's id, or nothing"),
    text_column("algorithm", doc="ES256, RS256, …"),
    blob_column("public_der", doc="SubjectPublicKeyInfo"),
    blob_column("sealed_private", nullable=True, doc="PKCS #8, sealed; null once the key was taken away"),
    instant_column("created_at"),
    instant_column("retired_at", nullable=True, doc="Signs no more; still verifies"),
    instant_column("revoked_at", nullable=True, doc="Neither signs nor verifies"),
    info={"about": "Private keys of authorities, OAuth clients and the audit record, sealed."},
)
Index("ix_signing_keys_purpose_owner", signing_keys.c.purpose, signing_keys.c.owner)

key_changes = Table(
    "key_changes",
    metadata,
    Column("name", Text, primary_key=True, doc="Of the table whose rows are counted: signing_keys"),
    Column("changes", Integer, nullable=False, doc="How often a key was changed that a process may remember"),
    info={"about": "Tells every process within a second that another one has changed a key."},
)
