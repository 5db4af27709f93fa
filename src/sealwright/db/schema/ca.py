"""Issuers, provisioners and certificates."""

from __future__ import annotations

from sqlalchemy import Column, Integer, LargeBinary, Table, Text

from sealwright.db.schema.columns import blob_column, instant_column, maker_column, metadata, ref_column, text_column

issuers = Table(
    "issuers",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    text_column("kind", doc="root or issuing"),
    ref_column("parent_id", "issuers.id", nullable=True),
    ref_column("key_id", "signing_keys.id"),
    blob_column("certificate_der"),
    instant_column("not_after"),
    instant_column("created_at"),
    instant_column("retired_at", nullable=True),
    info={"about": "The root and the issuing authorities."},
)

provisioners = Table(
    "provisioners",
    metadata,
    Column("id", Text, primary_key=True),
    Column("position", Integer, nullable=False, doc="Order of the list, which is also the paging key"),
    Column("name", Text, nullable=False, unique=True),
    text_column("type", doc="OIDC or JWK"),
    text_column("definition", doc="JSON in the shape of a step-ca configuration, without secrets"),
    blob_column("sealed_secret", nullable=True, doc="Client secret of an OIDC provisioner"),
    instant_column("created_at"),
    instant_column("updated_at"),
    maker_column(),
    info={"about": "Stored provisioners; those of files are not here."},
)

certificate_profiles = Table(
    "certificate_profiles",
    metadata,
    Column("name", Text, primary_key=True),
    text_column("definition", doc="JSON: which names, keys, uses and lifetimes its certificates have"),
    instant_column("created_at"),
    instant_column("updated_at"),
    info={"about": "Profiles that administrators stored; the built-in ones are part of the program."},
)

certificates = Table(
    "certificates",
    metadata,
    Column("serial", LargeBinary, primary_key=True, doc="20 bytes, time-ordered"),
    ref_column("issuer_id", "issuers.id"),
    text_column("state", doc="intended, issued, failed or maybe_signed"),
    text_column("profile"),
    Column("provisioner_id", Text, nullable=True, doc="Kept when the provisioner goes away"),
    Column("account_id", Text, nullable=True, doc="The person it speaks for; kept when the person goes away"),
    Column("session_id", Text, nullable=True),
    Column("credential_generation", Integer, nullable=True, doc="Of the account, when it was issued"),
    text_column("subject_name", doc="Common name, or nothing"),
    text_column("names", doc="JSON list of type and value"),
    blob_column("public_key_digest", doc="SHA-256 of the SubjectPublicKeyInfo"),
    instant_column("not_before"),
    instant_column("not_after"),
    blob_column("tbs_digest", doc="SHA-256 of what was to be signed"),
    blob_column("der", nullable=True, doc="Null until signed"),
    instant_column("intended_at"),
    instant_column("issued_at", nullable=True),
    blob_column("renewed_from", nullable=True, doc="Serial of the certificate that this one follows"),
    instant_column("revoked_at", nullable=True),
    Column("revocation_reason", Integer, nullable=True, doc="Number of RFC 5280, section 5.3.1"),
    Column("approval_id", Text, nullable=True, doc="Request by whose approval it, or what it was renewed from, was issued"),
    Column("client_id", Text, nullable=True, doc="Client whose access token it was issued for; kept when the client goes away"),
    info={"about": "Every certificate that was intended, with its outcome."},
)

certificate_names = Table(
    "certificate_names",
    metadata,
    Column("reversed_name", LargeBinary, primary_key=True, doc="UTF-8 of a name, folded and its characters in reverse"),
    Column("serial", LargeBinary, primary_key=True, doc="Of a certificate; certificates are never deleted"),
    sqlite_with_rowid=False,
    info={"about": "The names of certificates, common names too, to search by; reversed, so that the end of a name is a range."},
)

used_tokens = Table(
    "used_tokens",
    metadata,
    Column("digest", LargeBinary, primary_key=True, doc="Left half of the SHA-256 of provisioner and token id"),
    instant_column("kept_until"),
    sqlite_with_rowid=False,
    info={"about": "Single-use tokens for certificates and revocations that were used, until they would be refused anyway."},
)
