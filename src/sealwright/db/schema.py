"""Every table, once, for SQLite and PostgreSQL alike.

Portable types only. Instants are milliseconds since the epoch; flags are 0 or 1; digests are SHA-256 of a secret; JSON is
text. Nothing here is reached by other packages except through a `store.py`.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, MetaData, Table, Text, UniqueConstraint, text

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

INSTANT = BigInteger().with_variant(Integer(), "sqlite")
FLAG = Integer()


def _instant(name: str, *, nullable: bool = False) -> Column[int]:
    return Column(name, INSTANT, nullable=nullable)


def _flag(name: str, default: int) -> Column[int]:
    return Column(name, FLAG, nullable=False, server_default=text(str(default)))


def _text(name: str, *, nullable: bool = False) -> Column[str]:
    return Column(name, Text, nullable=nullable)


def _blob(name: str, *, nullable: bool = False) -> Column[bytes]:
    return Column(name, LargeBinary, nullable=nullable)


def _ref(name: str, target: str, *, nullable: bool = False, cascade: bool = False) -> Column[str]:
    return Column(name, Text, ForeignKey(target, ondelete="CASCADE" if cascade else None), nullable=nullable)


# --- custody ---------------------------------------------------------------------------------------------------------

signing_keys = Table(
    "signing_keys",
    metadata,
    Column("id", Text, primary_key=True),  # RFC 7638 thumbprint, also the `kid`
    _text("purpose"),  # see keys.Purpose
    _text("owner"),  # what the key belongs to: an issuer id, a client id, or ""
    _text("algorithm"),  # ES256, RS256, …
    _blob("public_der"),  # SubjectPublicKeyInfo
    _blob("sealed_private", nullable=True),  # PKCS #8, sealed; null once the key was taken away
    _instant("created_at"),
    _instant("retired_at", nullable=True),  # signs no more; still verifies
    _instant("revoked_at", nullable=True),  # neither signs nor verifies
)
Index("ix_signing_keys_purpose_owner", signing_keys.c.purpose, signing_keys.c.owner)

# --- audit -----------------------------------------------------------------------------------------------------------

audit_events = Table(
    "audit_events",
    metadata,
    Column("writer_id", Text, primary_key=True),  # one chain per writer
    Column("sequence", INSTANT, primary_key=True),
    _instant("at"),
    _text("event"),  # see audit.Event
    _text("outcome"),  # done | refused | failed
    _text("actor_kind"),
    _text("actor_id"),
    _text("actor_name"),
    _text("target"),  # what it was done to: "person:<id>", "certificate:<serial>", …
    _text("details"),  # JSON object, never a secret
    _blob("previous"),  # digest of the row before, in the same chain
    _blob("digest"),
)

# --- identity --------------------------------------------------------------------------------------------------------

accounts = Table(
    "accounts",
    metadata,
    Column("id", Text, primary_key=True),  # UUID, the OIDC `sub`
    _text("kind"),  # person | service | system
    Column("name", Text, nullable=False, unique=True),
    _text("display_name"),
    _instant("created_at"),
    _instant("updated_at"),
    _instant("valid_from", nullable=True),
    _instant("valid_until", nullable=True),
    _instant("disabled_at", nullable=True),
)

mail_addresses = Table(
    "mail_addresses",
    metadata,
    Column("account_id", Text, ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),  # 0 is the primary address
    _text("address"),
    Column("address_folded", Text, nullable=False, unique=True),  # one address, one person
    _instant("verified_at", nullable=True),
)

groups = Table(
    "groups",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    _text("description"),
    _flag("builtin", 0),
    _instant("created_at"),
)

group_members = Table(
    "group_members",
    metadata,
    Column("group_id", Text, ForeignKey("groups.id", ondelete="CASCADE"), primary_key=True),
    Column("account_id", Text, ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Index("ix_group_members_account_id", "account_id"),
)

group_nestings = Table(
    "group_nestings",
    metadata,
    Column("group_id", Text, ForeignKey("groups.id", ondelete="CASCADE"), primary_key=True),
    Column("member_group_id", Text, ForeignKey("groups.id", ondelete="CASCADE"), primary_key=True),
    Index("ix_group_nestings_member_group_id", "member_group_id"),
)

credentials = Table(
    "credentials",
    metadata,
    Column("id", Text, primary_key=True),
    _ref("account_id", "accounts.id", cascade=True),
    _text("kind"),  # password | totp
    _text("label"),
    _blob("secret"),  # password: Argon2 PHC text; totp: sealed shared secret
    _instant("created_at"),
    Column("last_step", INSTANT, nullable=True),  # totp: last time step used, so that a code works once
    UniqueConstraint("account_id", "kind", "label"),
)

throttles = Table(
    "throttles",
    metadata,
    Column("key", LargeBinary, primary_key=True),  # digest of what is counted: an account name, an address
    Column("failures", Integer, nullable=False),
    _instant("last_failure_at"),
    _instant("blocked_until"),
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("digest", LargeBinary, nullable=False, unique=True),
    _ref("account_id", "accounts.id", cascade=True),
    _text("kind"),  # browser | terminal
    _text("methods"),  # RFC 8176 names, space separated: "pwd", "pwd otp"
    _text("address"),
    _text("user_agent"),
    _instant("created_at"),
    _instant("authenticated_at"),
    _instant("last_seen_at"),
    _instant("expires_at"),
    _instant("ended_at", nullable=True),
    _text("end_reason", nullable=True),
    Index("ix_sessions_account_id", "account_id"),
)

pending_sign_ins = Table(
    "pending_sign_ins",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    _ref("account_id", "accounts.id", cascade=True),
    _text("kind"),
    _text("methods"),
    _text("continue_to"),
    _instant("created_at"),
    _instant("expires_at"),
    _instant("consumed_at", nullable=True),
)

one_time_links = Table(
    "one_time_links",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    _text("purpose"),  # welcome | reset
    _ref("account_id", "accounts.id", nullable=True, cascade=True),
    _instant("created_at"),
    _instant("expires_at"),
    _instant("consumed_at", nullable=True),
)

# --- access ----------------------------------------------------------------------------------------------------------

role_assignments = Table(
    "role_assignments",
    metadata,
    Column("role", Text, primary_key=True),
    Column("group_id", Text, ForeignKey("groups.id", ondelete="CASCADE"), primary_key=True),
    _instant("created_at"),
)

# --- oauth -----------------------------------------------------------------------------------------------------------

oauth_clients = Table(
    "oauth_clients",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False, unique=True),  # the client_id on the wire
    _text("display_name"),
    _text("kind"),  # public | confidential
    _text("landing_url"),
    _blob("secret_digest", nullable=True),
    _blob("sealed_secret", nullable=True),
    _text("signing_algorithm"),  # ES256 | RS256
    _flag("require_pkce", 1),
    _flag("localhost_redirects", 0),
    _flag("consent_prompt", 1),
    _flag("short_username", 0),
    Column("refresh_seconds", Integer, nullable=False),
    _instant("created_at"),
    _instant("updated_at"),
)

oauth_redirect_uris = Table(
    "oauth_redirect_uris",
    metadata,
    Column("client_id", Text, ForeignKey("oauth_clients.id", ondelete="CASCADE"), primary_key=True),
    Column("uri", Text, primary_key=True),
)

oauth_scope_maps = Table(
    "oauth_scope_maps",
    metadata,
    Column("client_id", Text, ForeignKey("oauth_clients.id", ondelete="CASCADE"), primary_key=True),
    Column("group_id", Text, ForeignKey("groups.id", ondelete="CASCADE"), primary_key=True),
    _text("scopes"),  # space separated
)

oauth_requests = Table(
    "oauth_requests",
    metadata,
    Column("digest", LargeBinary, primary_key=True),  # of the handle in the browser's address or cookie
    _ref("client_id", "oauth_clients.id", cascade=True),
    _text("parameters"),  # JSON of the proven authorization request
    _instant("created_at"),
    _instant("expires_at"),
    _instant("consumed_at", nullable=True),
)

oauth_families = Table(
    "oauth_families",
    metadata,
    Column("id", Text, primary_key=True),  # all tokens that come from one authorization
    _ref("client_id", "oauth_clients.id", cascade=True),
    _ref("account_id", "accounts.id", cascade=True),
    _ref("session_id", "sessions.id", cascade=True),
    _text("scope"),
    _text("nonce", nullable=True),
    _instant("authenticated_at"),
    _instant("created_at"),
    _instant("revoked_at", nullable=True),
    _text("revoke_reason", nullable=True),
    Index("ix_oauth_families_account_id", "account_id"),
    Index("ix_oauth_families_session_id", "session_id"),
)

oauth_codes = Table(
    "oauth_codes",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    _ref("family_id", "oauth_families.id", cascade=True),
    _text("redirect_uri"),
    _text("code_challenge", nullable=True),
    _instant("expires_at"),
    _instant("consumed_at", nullable=True),
)

oauth_refresh_tokens = Table(
    "oauth_refresh_tokens",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    _ref("family_id", "oauth_families.id", cascade=True),
    _instant("created_at"),
    _instant("expires_at"),
    _instant("consumed_at", nullable=True),
)

oauth_consents = Table(
    "oauth_consents",
    metadata,
    Column("account_id", Text, ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("client_id", Text, ForeignKey("oauth_clients.id", ondelete="CASCADE"), primary_key=True),
    _text("scope"),
    _instant("granted_at"),
)

# --- certificate authority -------------------------------------------------------------------------------------------

issuers = Table(
    "issuers",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    _text("kind"),  # root | issuing
    _ref("parent_id", "issuers.id", nullable=True),
    _ref("key_id", "signing_keys.id"),
    _blob("certificate_der"),
    _instant("not_after"),
    _instant("created_at"),
    _instant("retired_at", nullable=True),
)

provisioners = Table(
    "provisioners",
    metadata,
    Column("id", Text, primary_key=True),
    Column("position", Integer, nullable=False),  # order of the list, which is also the paging key
    Column("name", Text, nullable=False, unique=True),
    _text("type"),  # OIDC | JWK
    _text("definition"),  # JSON in the shape of reference/step-ca, section 5, without secrets
    _blob("sealed_secret", nullable=True),  # OIDC client secret
    _instant("created_at"),
    _instant("updated_at"),
)

certificates = Table(
    "certificates",
    metadata,
    Column("serial", LargeBinary, primary_key=True),  # 20 octets, time-ordered
    _ref("issuer_id", "issuers.id"),
    _text("state"),  # intended | issued | failed | maybe_signed
    _text("profile"),
    Column("provisioner_id", Text, nullable=True),  # kept when the provisioner goes away
    Column("account_id", Text, nullable=True),  # the person it speaks for; kept when the person goes away
    Column("session_id", Text, nullable=True),
    _text("subject_name"),  # common name, or ""
    _text("names"),  # JSON list of [type, value]
    _blob("public_key_digest"),
    _instant("not_before"),
    _instant("not_after"),
    _blob("tbs_digest"),
    _blob("der", nullable=True),  # null until signed
    _instant("intended_at"),
    _instant("issued_at", nullable=True),
    _blob("renewed_from", nullable=True),  # serial of the certificate that this one follows
    _instant("revoked_at", nullable=True),
    Column("revocation_reason", Integer, nullable=True),  # RFC 5280, section 5.3.1
    Index("ix_certificates_account_id", "account_id", "serial"),
)
_INTENDED = text("state = 'intended'")
Index("ix_certificates_intended_at", certificates.c.intended_at, sqlite_where=_INTENDED, postgresql_where=_INTENDED)
_RENEWED = text("renewed_from IS NOT NULL")
Index("ix_certificates_renewed_from", certificates.c.renewed_from, sqlite_where=_RENEWED, postgresql_where=_RENEWED)

used_tokens = Table(
    "used_tokens",
    metadata,
    Column("key", LargeBinary, primary_key=True),  # expiry (4 octets, seconds) and digest (16): time-ordered
    _instant("expires_at"),
    sqlite_with_rowid=False,
)

# --- work that must run once across nodes ----------------------------------------------------------------------------

leases = Table(
    "leases",
    metadata,
    Column("name", Text, primary_key=True),
    _text("holder"),
    _instant("until"),
)
