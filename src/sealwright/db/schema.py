"""Every table, once, for SQLite and PostgreSQL alike.

Portable types only. Instants are milliseconds since the epoch; flags are 0 or 1; digests are SHA-256 of a secret; JSON is
text. Indexes that name an engine are in `whole_schema`. Nothing here is reached by other packages except through a `store.py`.
What `doc` and `about` say is in the reference.
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


def _instant(name: str, *, nullable: bool = False, doc: str | None = None) -> Column[int]:
    return Column(name, INSTANT, nullable=nullable, doc=doc)


def _flag(name: str, default: int, *, doc: str | None = None) -> Column[int]:
    return Column(name, FLAG, nullable=False, server_default=text(str(default)), doc=doc)


def _text(name: str, *, nullable: bool = False, doc: str | None = None) -> Column[str]:
    return Column(name, Text, nullable=nullable, doc=doc)


def _blob(name: str, *, nullable: bool = False, doc: str | None = None) -> Column[bytes]:
    return Column(name, LargeBinary, nullable=nullable, doc=doc)


def _ref(name: str, target: str, *, nullable: bool = False, cascade: bool = False, doc: str | None = None) -> Column[str]:
    return Column(name, Text, ForeignKey(target, ondelete="CASCADE" if cascade else None), nullable=nullable, doc=doc)


# --- custody ---------------------------------------------------------------------------------------------------------

signing_keys = Table(
    "signing_keys",
    metadata,
    Column("id", Text, primary_key=True, doc="RFC 7638 thumbprint, which is also the kid"),
    _text("purpose", doc="root, issuer, oauth_client or audit"),
    _text("owner", doc="What the key belongs to: an issuer's or a client's id, or nothing"),
    _text("algorithm", doc="ES256, RS256, …"),
    _blob("public_der", doc="SubjectPublicKeyInfo"),
    _blob("sealed_private", nullable=True, doc="PKCS #8, sealed; null once the key was taken away"),
    _instant("created_at"),
    _instant("retired_at", nullable=True, doc="Signs no more; still verifies"),
    _instant("revoked_at", nullable=True, doc="Neither signs nor verifies"),
    info={"about": "Private keys of authorities, OAuth clients and the audit record, sealed."},
)
Index("ix_signing_keys_purpose_owner", signing_keys.c.purpose, signing_keys.c.owner)

# --- audit -----------------------------------------------------------------------------------------------------------

audit_events = Table(
    "audit_events",
    metadata,
    Column("writer_id", Text, primary_key=True, doc="One chain per writer"),
    Column("sequence", INSTANT, primary_key=True, doc="Counts from 1 in each chain"),
    _instant("at"),
    _text("event", doc="See the list of events"),
    _text("outcome", doc="done, refused or failed"),
    _text("actor_kind"),
    _text("actor_id"),
    _text("actor_name"),
    _text("target", doc="What it was done to, as kind:id"),
    _text("details", doc="JSON object, never a secret"),
    _blob("previous", doc="Digest of the row before, in the same chain"),
    _blob("digest", doc="SHA-256 over the previous digest and the other columns"),
    info={"about": "What happened. Rows are only ever added; each covers the one before it."},
)

# --- identity --------------------------------------------------------------------------------------------------------

accounts = Table(
    "accounts",
    metadata,
    Column("id", Text, primary_key=True, doc="UUID, which is also the sub of ID tokens"),
    _text("kind", doc="person, service or system"),
    Column("name", Text, nullable=False, unique=True),
    _text("display_name"),
    _instant("created_at"),
    _instant("updated_at"),
    _instant("valid_from", nullable=True),
    _instant("valid_until", nullable=True),
    _instant("disabled_at", nullable=True, doc="Since then it cannot sign in, and its certificates are not renewed"),
    _flag("credential_generation", 0, doc="Counts the resets that end certificates; those of an older one are not renewed"),
    info={"about": "People, and the accounts that a server has from the start."},
)

mail_addresses = Table(
    "mail_addresses",
    metadata,
    Column("account_id", Text, ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True, doc="0 is the primary address"),
    _text("address"),
    Column("address_folded", Text, nullable=False, unique=True, doc="For comparison; one address belongs to one account"),
    _instant("verified_at", nullable=True),
    info={"about": "Mail addresses of accounts."},
)

groups = Table(
    "groups",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    _text("description"),
    _flag("builtin", 0),
    _instant("created_at"),
    info={"about": "Groups of accounts and of groups."},
)

group_members = Table(
    "group_members",
    metadata,
    Column("group_id", Text, ForeignKey("groups.id", ondelete="CASCADE"), primary_key=True),
    Column("account_id", Text, ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Index("ix_group_members_account_id", "account_id"),
    info={"about": "Which account is in which group directly."},
)

group_nestings = Table(
    "group_nestings",
    metadata,
    Column("group_id", Text, ForeignKey("groups.id", ondelete="CASCADE"), primary_key=True),
    Column("member_group_id", Text, ForeignKey("groups.id", ondelete="CASCADE"), primary_key=True),
    Index("ix_group_nestings_member_group_id", "member_group_id"),
    info={"about": "Which group is in which group directly."},
)

credentials = Table(
    "credentials",
    metadata,
    Column("id", Text, primary_key=True),
    _ref("account_id", "accounts.id", cascade=True),
    _text("kind", doc="password or totp"),
    _text("label"),
    _blob("secret", doc="Of a password its Argon2 digest (PHC text), of a second factor the sealed shared secret"),
    _instant("created_at"),
    Column("last_step", INSTANT, nullable=True, doc="Of a second factor the last time step used, so that a code works once"),
    UniqueConstraint("account_id", "kind", "label"),
    info={"about": "Passwords and second factors."},
)

throttles = Table(
    "throttles",
    metadata,
    Column("key", LargeBinary, primary_key=True, doc="Digest of what is counted: an account, a known device of one, an address"),
    Column("failures", Integer, nullable=False, doc="Attempts that have not turned out well"),
    _instant("counted_since", doc="Of the oldest failure that counts, or when one before it was forgotten"),
    _instant("blocked_until"),
    info={"about": "Failed attempts to sign in, by account and by address."},
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("digest", LargeBinary, nullable=False, unique=True),
    _ref("account_id", "accounts.id", cascade=True),
    _text("kind", doc="browser or terminal"),
    _text("methods", doc="RFC 8176 names with spaces between them: pwd, or pwd otp"),
    _text("address"),
    _text("user_agent"),
    _instant("created_at"),
    _instant("authenticated_at"),
    _instant("last_seen_at"),
    _instant("expires_at"),
    _instant("ended_at", nullable=True),
    _text("end_reason", nullable=True),
    Index("ix_sessions_account_id", "account_id"),
    info={"about": "Who is signed in where."},
)

pending_sign_ins = Table(
    "pending_sign_ins",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    _ref("account_id", "accounts.id", cascade=True),
    _text("kind"),
    _text("methods"),
    _text("continue_to", doc="Where to go after it"),
    _instant("created_at"),
    _instant("expires_at"),
    _instant("consumed_at", nullable=True),
    info={"about": "Sign-ins whose password was right and whose second factor is awaited."},
)

known_devices = Table(
    "known_devices",
    metadata,
    Column("id", Text, primary_key=True),
    _ref("account_id", "accounts.id", cascade=True),
    _blob("digest", doc="Of the token that the device holds; the same for every account that is used on it"),
    _text("user_agent"),
    _instant("created_at"),
    _instant("last_used_at", doc="The last sign-in from it"),
    UniqueConstraint("account_id", "digest"),
    Index("ix_known_devices_digest", "digest"),
    info={"about": "Devices from which people signed in before; attempts from them are counted by themselves."},
)

one_time_links = Table(
    "one_time_links",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    _text("purpose", doc="welcome or reset"),
    _ref("account_id", "accounts.id", nullable=True, cascade=True),
    _instant("created_at"),
    _instant("expires_at"),
    _instant("consumed_at", nullable=True),
    _flag("end_certificates", 0, doc="Whether the person's certificates end when the link is used"),
    Column("created_by", Text, nullable=True, doc="Account that made it; empty where it was the server itself"),
    info={"about": "Links that work once: for the first administrator, and to set a new password."},
)

mail_outbox = Table(
    "mail_outbox",
    metadata,
    Column("id", Text, primary_key=True, doc="UUID, also of the Message-ID"),
    _text("kind", doc="invitation or reset"),
    _ref("account_id", "accounts.id", cascade=True, doc="Whom it is for"),
    Column(
        "link_digest",
        LargeBinary,
        ForeignKey("one_time_links.digest", ondelete="CASCADE"),
        nullable=False,
        doc="The link that it brings: where that is replaced, the message goes with it",
    ),
    _text("recipient", doc="E-mail address"),
    _blob("sealed_content", doc="Subject and text, sealed: the link is worth a password"),
    _instant("created_at"),
    _instant("next_try_at", doc="Pushed on while somebody sends it, so that nobody else does"),
    Column("tries", Integer, nullable=False),
    _text("last_failure", nullable=True),
    _instant("expires_at", doc="When the link ends: it is given up then"),
    Index("ix_mail_outbox_next_try_at", "next_try_at"),
    Index("ix_mail_outbox_link_digest", "link_digest"),
    info={"about": "Messages that wait to be sent. Nothing of a message stays once the SMTP server has taken it."},
)

# --- access ----------------------------------------------------------------------------------------------------------

role_assignments = Table(
    "role_assignments",
    metadata,
    Column("role", Text, primary_key=True),
    Column("group_id", Text, ForeignKey("groups.id", ondelete="CASCADE"), primary_key=True),
    _instant("created_at"),
    info={"about": "Which group holds which role."},
)

# --- oauth -----------------------------------------------------------------------------------------------------------

oauth_clients = Table(
    "oauth_clients",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False, unique=True, doc="The client_id"),
    _text("display_name"),
    _text("kind", doc="public or confidential"),
    _text("landing_url"),
    _blob("secret_digest", nullable=True, doc="Null for public clients"),
    _blob("sealed_secret", nullable=True, doc="So that an administrator can look at it again"),
    _text("signing_algorithm", doc="ES256 or RS256"),
    _flag("require_pkce", 1),
    _flag("localhost_redirects", 0),
    _flag("consent_prompt", 1),
    _flag("short_username", 0, doc="User names without a domain"),
    Column("refresh_seconds", Integer, nullable=False, doc="How long a refresh token waits for its use"),
    _instant("created_at"),
    _instant("updated_at"),
    _flag("http_redirects", 0, doc="Redirect URIs over plain http are allowed"),
    _flag("partial_scopes", 0, doc="Whoever may not grant all that is asked for grants the rest"),
    Column(
        "refresh_grace_seconds",
        Integer,
        nullable=False,
        server_default=text("0"),
        doc="How long a used refresh token is answered with the same successor again",
    ),
    info={"about": "Registered OAuth clients."},
)

oauth_redirect_uris = Table(
    "oauth_redirect_uris",
    metadata,
    Column("client_id", Text, ForeignKey("oauth_clients.id", ondelete="CASCADE"), primary_key=True),
    Column("uri", Text, primary_key=True),
    info={"about": "Addresses that a client may have people sent back to."},
)

oauth_scope_maps = Table(
    "oauth_scope_maps",
    metadata,
    Column("client_id", Text, ForeignKey("oauth_clients.id", ondelete="CASCADE"), primary_key=True),
    Column("group_id", Text, ForeignKey("groups.id", ondelete="CASCADE"), primary_key=True),
    _text("scopes", doc="With spaces between them"),
    info={"about": "Which scopes a client may ask of the members of a group."},
)

oauth_answered_requests = Table(
    "oauth_answered_requests",
    metadata,
    Column("digest", LargeBinary, primary_key=True, doc="Of the handle in the browser's address, which holds the request itself"),
    _instant("expires_at", doc="From then on the handle is refused for its age"),
    info={"about": "Authorization requests that waited for a person and were answered, so that none is answered twice."},
)

oauth_families = Table(
    "oauth_families",
    metadata,
    Column("id", Text, primary_key=True, doc="All tokens that come from one authorization"),
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
    info={"about": "One row for each authorization: all tokens that come of it are revoked with it."},
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
    info={"about": "Authorization codes."},
)

oauth_refresh_tokens = Table(
    "oauth_refresh_tokens",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    _ref("family_id", "oauth_families.id", cascade=True),
    _instant("created_at"),
    _instant("expires_at"),
    _instant("consumed_at", nullable=True),
    _blob("sealed_successor", nullable=True, doc="The token that followed it; only this token itself opens it"),
    info={"about": "Refresh tokens."},
)

oauth_consents = Table(
    "oauth_consents",
    metadata,
    Column("account_id", Text, ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("client_id", Text, ForeignKey("oauth_clients.id", ondelete="CASCADE"), primary_key=True),
    _text("scope"),
    _instant("granted_at"),
    info={"about": "What a person has allowed a client."},
)

# --- certificate authority -------------------------------------------------------------------------------------------

issuers = Table(
    "issuers",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    _text("kind", doc="root or issuing"),
    _ref("parent_id", "issuers.id", nullable=True),
    _ref("key_id", "signing_keys.id"),
    _blob("certificate_der"),
    _instant("not_after"),
    _instant("created_at"),
    _instant("retired_at", nullable=True),
    info={"about": "The root and the issuing authorities."},
)

provisioners = Table(
    "provisioners",
    metadata,
    Column("id", Text, primary_key=True),
    Column("position", Integer, nullable=False, doc="Order of the list, which is also the paging key"),
    Column("name", Text, nullable=False, unique=True),
    _text("type", doc="OIDC or JWK"),
    _text("definition", doc="JSON in the shape of a step-ca configuration, without secrets"),
    _blob("sealed_secret", nullable=True, doc="Client secret of an OIDC provisioner"),
    _instant("created_at"),
    _instant("updated_at"),
    info={"about": "Stored provisioners; those of files are not here."},
)

certificates = Table(
    "certificates",
    metadata,
    Column("serial", LargeBinary, primary_key=True, doc="20 bytes, time-ordered"),
    _ref("issuer_id", "issuers.id"),
    _text("state", doc="intended, issued, failed or maybe_signed"),
    _text("profile"),
    Column("provisioner_id", Text, nullable=True, doc="Kept when the provisioner goes away"),
    Column("account_id", Text, nullable=True, doc="The person it speaks for; kept when the person goes away"),
    Column("session_id", Text, nullable=True),
    Column("credential_generation", Integer, nullable=True, doc="Of the account, when it was issued"),
    _text("subject_name", doc="Common name, or nothing"),
    _text("names", doc="JSON list of type and value"),
    _blob("public_key_digest", doc="SHA-256 of the SubjectPublicKeyInfo"),
    _instant("not_before"),
    _instant("not_after"),
    _blob("tbs_digest", doc="SHA-256 of what was to be signed"),
    _blob("der", nullable=True, doc="Null until signed"),
    _instant("intended_at"),
    _instant("issued_at", nullable=True),
    _blob("renewed_from", nullable=True, doc="Serial of the certificate that this one follows"),
    _instant("revoked_at", nullable=True),
    Column("revocation_reason", Integer, nullable=True, doc="Number of RFC 5280, section 5.3.1"),
    Index("ix_certificates_account_id", "account_id", "serial"),
    info={"about": "Every certificate that was intended, with its outcome."},
)

used_tokens = Table(
    "used_tokens",
    metadata,
    Column("digest", LargeBinary, primary_key=True, doc="Left half of the SHA-256 of provisioner and token id"),
    _instant("kept_until"),
    sqlite_with_rowid=False,
    info={"about": "Single-use tokens for certificates and revocations that were used, until they would be refused anyway."},
)

# --- work that must run once across nodes ----------------------------------------------------------------------------

leases = Table(
    "leases",
    metadata,
    Column("name", Text, primary_key=True),
    _text("holder", doc="A process"),
    _instant("until"),
    info={"about": "Which process does what must be done once in a cluster."},
)
