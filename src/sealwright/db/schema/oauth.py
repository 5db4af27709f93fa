"""OAuth clients, and what was granted to them."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, LargeBinary, Table, Text, text

from sealwright.db.schema.columns import INSTANT, blob_column, instant_column, maker_column, metadata, ref_column, text_column

oauth_issuers = Table(
    "oauth_issuers",
    metadata,
    Column("id", Text, primary_key=True, doc="`root` for the one whose URL is the server's own"),
    Column("name", Text, nullable=False, unique=True),
    instant_column("created_at"),
    info={"about": "Issuers that OAuth clients share."},
)

oauth_clients = Table(
    "oauth_clients",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False, unique=True, doc="The client_id"),
    text_column("display_name"),
    text_column("kind", doc="public or confidential"),
    text_column("landing_url"),
    blob_column("secret_digest", nullable=True, doc="Null for public clients"),
    blob_column("sealed_secret", nullable=True, doc="So that an administrator can look at it again"),
    instant_column("created_at"),
    instant_column("updated_at"),
    Column(
        "settings",
        Text,
        nullable=False,
        server_default=text("'{}'"),
        doc="JSON object of what differs from the defaults, see clients.md",
    ),
    blob_column("previous_secret_digest", nullable=True, doc="The secret before, where it works on beside the new one"),
    instant_column("previous_secret_ends_at", nullable=True),
    ref_column("issuer_id", "oauth_issuers.id", nullable=True, doc="Null where its issuer is its own"),
    maker_column(),
    Index("ix_oauth_clients_issuer_id", "issuer_id", "name"),
    info={"about": "Registered OAuth clients."},
)

oauth_deleted_clients = Table(
    "oauth_deleted_clients",
    metadata,
    Column("id", Text, primary_key=True, doc="That of the client"),
    Column("name", Text, nullable=False, unique=True, doc="Reserved: no other client can have it meanwhile"),
    text_column("content", doc="JSON: what is restored, and holds no secret"),
    blob_column("secret_digest", nullable=True),
    blob_column("sealed_secret", nullable=True),
    blob_column("image", nullable=True),
    instant_column("deleted_at"),
    text_column("deleted_by", doc="Name of who deleted it"),
    info={"about": "Deleted clients, which can be brought back for some days."},
)

oauth_credential_holders = Table(
    "oauth_credential_holders",
    metadata,
    Column("client_id", Text, ForeignKey("oauth_clients.id", ondelete="CASCADE"), primary_key=True),
    Column("account_id", Text, primary_key=True, doc="Of who can act as the client by it"),
    Column(
        "credential", Text, primary_key=True, doc="secret: they were shown it or set it; keys: they said how it authenticates"
    ),
    instant_column("ends_at", nullable=True, doc="Until when an earlier secret is valid; null for what counts now"),
    info={"about": "Who may not approve what a client asks for, as they could have asked for it themselves."},
)

oauth_client_images = Table(
    "oauth_client_images",
    metadata,
    Column("client_id", Text, ForeignKey("oauth_clients.id", ondelete="CASCADE"), primary_key=True),
    text_column("media_type"),
    blob_column("content"),
    blob_column("digest"),
    Index("ix_oauth_client_images_digest", "digest"),
    info={"about": "Images of clients, for people's lists of applications."},
)

oauth_scope_maps = Table(
    "oauth_scope_maps",
    metadata,
    Column("client_id", Text, ForeignKey("oauth_clients.id", ondelete="CASCADE"), primary_key=True),
    Column("group_id", Text, ForeignKey("groups.id", ondelete="CASCADE"), primary_key=True),
    text_column("scopes", doc="With spaces between them"),
    Index("ix_oauth_scope_maps_group_id", "group_id"),
    info={"about": "Which scopes a client may ask of the members of a group."},
)

oauth_supplementary_scope_maps = Table(
    "oauth_supplementary_scope_maps",
    metadata,
    Column("client_id", Text, ForeignKey("oauth_clients.id", ondelete="CASCADE"), primary_key=True),
    Column("group_id", Text, ForeignKey("groups.id", ondelete="CASCADE"), primary_key=True),
    text_column("scopes", doc="With spaces between them"),
    Index("ix_oauth_supplementary_scope_maps_group_id", "group_id"),
    info={"about": "Which scopes the members of a group get beside those that a client asks for."},
)

oauth_claim_maps = Table(
    "oauth_claim_maps",
    metadata,
    Column("client_id", Text, ForeignKey("oauth_clients.id", ondelete="CASCADE"), primary_key=True),
    Column("claim", Text, primary_key=True),
    Column("group_id", Text, ForeignKey("groups.id", ondelete="CASCADE"), primary_key=True),
    text_column("claim_values", doc="With spaces between them"),
    Index("ix_oauth_claim_maps_group_id", "group_id"),
    info={"about": "Which values the members of a group have in a claim of a client's tokens."},
)

oauth_claim_joins = Table(
    "oauth_claim_joins",
    metadata,
    Column("client_id", Text, ForeignKey("oauth_clients.id", ondelete="CASCADE"), primary_key=True),
    Column("claim", Text, primary_key=True),
    text_column("joined", doc="array, csv or ssv; a claim that is not here is an array"),
    info={"about": "How the values of mapped claims are written."},
)

oauth_answered_requests = Table(
    "oauth_answered_requests",
    metadata,
    Column("digest", LargeBinary, primary_key=True, doc="Of the handle in the browser's address, which holds the request itself"),
    instant_column("expires_at", doc="From then on the handle is refused for its age"),
    Index("ix_oauth_answered_requests_expires_at", "expires_at"),
    info={"about": "Authorization requests that waited for a person and were answered, so that none is answered twice."},
)

oauth_pushed_requests = Table(
    "oauth_pushed_requests",
    metadata,
    Column("digest", LargeBinary, primary_key=True, doc="Of the request_uri"),
    ref_column("client_id", "oauth_clients.id", cascade=True),
    text_column("request", doc="JSON: its parameters"),
    instant_column("expires_at", doc="From then on it is not opened any more"),
    instant_column("consumed_at", nullable=True, doc="When it was decided"),
    Index("ix_oauth_pushed_requests_client_id", "client_id"),
    Index("ix_oauth_pushed_requests_expires_at", "expires_at"),
    info={"about": "Authorization requests that clients sent by themselves, before the browser."},
)

oauth_families = Table(
    "oauth_families",
    metadata,
    Column("id", Text, primary_key=True, doc="All tokens that come from one authorization"),
    ref_column("client_id", "oauth_clients.id", cascade=True),
    ref_column("account_id", "accounts.id", cascade=True, nullable=True),
    ref_column("session_id", "sessions.id", cascade=True, nullable=True),
    text_column("scope"),
    text_column("nonce", nullable=True),
    instant_column("authenticated_at", nullable=True),
    instant_column("created_at"),
    instant_column("revoked_at", nullable=True),
    text_column("revoke_reason", nullable=True),
    Column("methods", Text, nullable=False, server_default=text("''"), doc="How the person had proved who they are"),
    text_column("claims", nullable=True, doc="JSON: claims that were granted one by one"),
    Column(
        "resources", Text, nullable=False, server_default=text("''"), doc="Whom access tokens are for, with spaces between them"
    ),
    text_column("authorization_details", nullable=True, doc="JSON: what was granted beyond scopes"),
    text_column("origin", nullable=True, doc="JSON: the tokens that it was exchanged for, whose end is its own"),
    Index("ix_oauth_families_account_id", "account_id"),
    Index("ix_oauth_families_session_id", "session_id"),
    Index("ix_oauth_families_client_id", "client_id"),
    Index("ix_oauth_families_created_at", "created_at", "id"),
    info={"about": "One row for each authorization: all tokens that come of it are revoked with it."},
)

oauth_codes = Table(
    "oauth_codes",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    ref_column("family_id", "oauth_families.id", cascade=True),
    text_column("redirect_uri"),
    text_column("code_challenge", nullable=True),
    text_column("dpop_jkt", nullable=True, doc="The thumbprint of the key that it is bound to"),
    instant_column("expires_at"),
    instant_column("consumed_at", nullable=True),
    Index("ix_oauth_codes_family_id", "family_id"),
    info={"about": "Authorization codes."},
)

oauth_device_requests = Table(
    "oauth_device_requests",
    metadata,
    Column("digest", LargeBinary, primary_key=True, doc="Of the device code"),
    Column("user_code_digest", LargeBinary, nullable=False, unique=True),
    ref_column("client_id", "oauth_clients.id", cascade=True),
    text_column("request", doc="JSON: what it asks for"),
    instant_column("created_at"),
    instant_column("expires_at"),
    instant_column("next_poll_at", doc="When the device may ask again"),
    Column("interval_ms", Integer, nullable=False, doc="How long it waits between two questions"),
    ref_column("family_id", "oauth_families.id", cascade=True, nullable=True, doc="What the person allowed"),
    instant_column("denied_at", nullable=True),
    instant_column("consumed_at", nullable=True),
    Index("ix_oauth_device_requests_client_id", "client_id"),
    Index("ix_oauth_device_requests_family_id", "family_id"),
    Index("ix_oauth_device_requests_expires_at", "expires_at"),
    info={"about": "Requests of devices that people decide elsewhere."},
)

oauth_dpop_proofs = Table(
    "oauth_dpop_proofs",
    metadata,
    Column("digest", LargeBinary, primary_key=True, doc="Of the thumbprint of its key, and its jti"),
    instant_column("expires_at", doc="From then on it is refused for its age"),
    Index("ix_oauth_dpop_proofs_expires_at", "expires_at"),
    info={"about": "DPoP proofs that were used, so that none is taken twice."},
)

oauth_refresh_tokens = Table(
    "oauth_refresh_tokens",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    ref_column("family_id", "oauth_families.id", cascade=True),
    instant_column("created_at"),
    instant_column("expires_at"),
    instant_column("consumed_at", nullable=True),
    blob_column("sealed_successor", nullable=True, doc="The token that followed it; only this token itself opens it"),
    text_column("bound_to", nullable=True, doc="The key or certificate of a public client that has to be shown with it"),
    Index("ix_oauth_refresh_tokens_family_id", "family_id"),
    Index("ix_oauth_refresh_tokens_expires_at", "expires_at"),
    info={"about": "Refresh tokens."},
)

oauth_used_jwts = Table(
    "oauth_used_jwts",
    metadata,
    Column("digest", LargeBinary, primary_key=True, doc="Left half of the SHA-256 of client and token id"),
    instant_column("kept_until"),
    Index("ix_oauth_used_jwts_kept_until", "kept_until"),
    info={"about": "Assertions of clients that were used, until they would be refused anyway."},
)

oauth_consents = Table(
    "oauth_consents",
    metadata,
    Column("account_id", Text, ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("client_id", Text, ForeignKey("oauth_clients.id", ondelete="CASCADE"), primary_key=True),
    text_column("scope"),
    instant_column("granted_at"),
    Column("claims", Text, nullable=False, server_default=text("''"), doc="Those beside the claims of the scopes"),
    Index("ix_oauth_consents_client_id", "client_id"),
    info={"about": "What a person has allowed a client."},
)

oauth_consent_history = Table(
    "oauth_consent_history",
    metadata,
    Column("account_id", Text, ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("at", INSTANT, primary_key=True),
    Column("client_id", Text, primary_key=True, doc="The client may be gone"),
    Column("given", Integer, primary_key=True, doc="1 where it was given, 0 where it was taken back"),
    text_column("display_name", doc="Of the client, as it was called then"),
    text_column("scope", doc="What was given; empty where it was taken back"),
    Index("ix_oauth_consent_history_at", "at"),
    info={"about": "What a person allowed to clients and took back, for a year."},
)

oauth_logout_deliveries = Table(
    "oauth_logout_deliveries",
    metadata,
    Column("client_id", Text, ForeignKey("oauth_clients.id", ondelete="CASCADE"), primary_key=True),
    Column("session_id", Text, primary_key=True, doc="The session that ended; its row may be gone"),
    text_column("account_id", doc="`sub` of the logout token"),
    instant_column("created_at"),
    instant_column("next_try_at", doc="Set later while one process sends it, so that no other does"),
    Column("tries", Integer, nullable=False),
    text_column("last_failure", nullable=True),
    instant_column("expires_at", doc="It is given up then"),
    Index("ix_oauth_logout_deliveries_next_try_at", "next_try_at"),
    Index("ix_oauth_logout_deliveries_session_id", "session_id"),
    info={"about": "Logout tokens that clients did not take yet."},
)

oauth_registration_tokens = Table(
    "oauth_registration_tokens",
    metadata,
    Column("id", Text, primary_key=True),
    Column("digest", LargeBinary, nullable=False, unique=True),
    text_column("created_by", doc="The name of who made it"),
    instant_column("created_at"),
    instant_column("expires_at"),
    Column("uses_left", Integer, nullable=False),
    text_column("scopes", doc="What the clients that it lets in may be granted, with spaces between them"),
    ref_column("group_id", "groups.id", cascade=True, nullable=True, doc="Whose members may grant them"),
    Index("ix_oauth_registration_tokens_expires_at", "expires_at"),
    Index("ix_oauth_registration_tokens_group_id", "group_id"),
    info={"about": "Tokens with which clients may register themselves (RFC 7591)."},
)

oauth_registrations = Table(
    "oauth_registrations",
    metadata,
    Column("client_id", Text, ForeignKey("oauth_clients.id", ondelete="CASCADE"), primary_key=True),
    Column("access_token_digest", LargeBinary, nullable=True, unique=True, doc="Null once the token was used on another client"),
    Column("registration_token_id", Text, nullable=True, doc="What let it in; kept when that goes away, null for none"),
    instant_column("created_at"),
    Index("ix_oauth_registrations_registration_token_id", "registration_token_id"),
    info={"about": "Clients that registered themselves, and the token by which each manages itself (RFC 7592)."},
)

oauth_trusted_issuers = Table(
    "oauth_trusted_issuers",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("issuer_url", Text, nullable=False, unique=True, doc="`iss` of its tokens"),
    text_column("audience", doc="What `aud` of its tokens has to hold"),
    text_column("jwks_uri", nullable=True, doc="Where its keys are; null where discovery or `jwks` says it"),
    text_column("jwks", nullable=True, doc="JSON: its keys, where they are not fetched"),
    Column("reusable", Integer, nullable=False, doc="1 where a token is taken more than once"),
    instant_column("created_at"),
    maker_column(),
    info={"about": "Issuers whose tokens clients may present for access tokens (RFC 7523)."},
)

oauth_trusted_issuer_rules = Table(
    "oauth_trusted_issuer_rules",
    metadata,
    Column("id", Text, primary_key=True),
    ref_column("issuer_id", "oauth_trusted_issuers.id", cascade=True),
    ref_column("client_id", "oauth_clients.id", cascade=True),
    ref_column("account_id", "accounts.id", cascade=True, nullable=True, doc="Null where tokens speak of the client itself"),
    text_column("conditions", doc="JSON: claims, and what each has to be"),
    text_column("scopes", doc="The most that tokens may have, with spaces between them; empty for all of the scope maps"),
    Column("lifetime_seconds", Integer, nullable=False),
    Column(
        "revision",
        Integer,
        nullable=False,
        server_default=text("0"),
        doc="Grows with each change that ends the tokens which it gave before",
    ),
    instant_column("created_at"),
    maker_column(),
    Index("ix_oauth_trusted_issuer_rules_issuer_id", "issuer_id", "client_id"),
    Index("ix_oauth_trusted_issuer_rules_client_id", "client_id"),
    Index("ix_oauth_trusted_issuer_rules_account_id", "account_id"),
    info={"about": "Which tokens of trusted issuers are accepted for which access tokens."},
)

oauth_trusted_issuer_editors = Table(
    "oauth_trusted_issuer_editors",
    metadata,
    Column("issuer_id", Text, ForeignKey("oauth_trusted_issuers.id", ondelete="CASCADE"), primary_key=True),
    Column("account_id", Text, primary_key=True, doc="Kept when the account is deleted"),
    info={"about": "Who changed a trusted issuer or one of its rules, and so could act as what its rules name."},
)
