"""Identity providers that people sign in with, and what their groups give."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, LargeBinary, Table, Text, text

from sealwright.db.schema.columns import blob_column, flag_column, instant_column, metadata, ref_column, text_column

oidc_providers = Table(
    "oidc_providers",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    text_column("issuer_url", doc="Compared with iss byte by byte"),
    text_column("client_id", doc="Of this server at the provider"),
    blob_column("sealed_secret", nullable=True),
    text_column("groups_claim_path", doc="A claim, a path with dots, or a claim whose name is a URL"),
    text_column("scopes", doc="JSON list"),
    text_column("downgrade_rule", doc="strict or intersection"),
    Column("iat_window_seconds", Integer, nullable=False),
    flag_column("enabled", 1),
    flag_column("userinfo_groups", 0, doc="Whether groups are asked for at the userinfo endpoint where the ID token names none"),
    Column("allowed_email_domains", Text, nullable=False, server_default=text("'[]'"), doc="JSON list; empty: every one"),
    Column(
        "jwks_cache_ttl_seconds",
        Integer,
        nullable=False,
        server_default=text("3600"),
        doc="After so long the key set is fetched again at the latest",
    ),
    instant_column("created_at"),
    instant_column("updated_at"),
    info={"about": "Identity providers of others that people sign in with."},
)

group_role_mappings = Table(
    "group_role_mappings",
    metadata,
    Column("id", Text, primary_key=True),
    ref_column("provider_id", "oidc_providers.id", cascade=True),
    text_column("group_name", doc="As the provider writes it"),
    text_column("role", doc="Id of a role, built in or not"),
    instant_column("created_at"),
    Index("uq_group_role_mappings_provider_id_group_name_role", "provider_id", "group_name", "role", unique=True),
    info={"about": "Which group of which provider gives which role."},
)

oidc_pre_login_sessions = Table(
    "oidc_pre_login_sessions",
    metadata,
    Column("state_digest", Text, primary_key=True, doc="SHA-256 in hexadecimal"),
    ref_column("provider_id", "oidc_providers.id", cascade=True),
    text_column("cookie_digest", doc="Of the cookie of the browser in which it began"),
    blob_column("sealed", doc="JSON: nonce, PKCE verifier, and where the sign-in leads"),
    instant_column("expires_at"),
    Index("ix_oidc_pre_login_sessions_expires_at", "expires_at"),
    info={"about": "Sign-ins that are going on at a provider."},
)

upstream_accounts = Table(
    "upstream_accounts",
    metadata,
    Column("issuer_url", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    ref_column("account_id", "accounts.id", cascade=True),
    text_column("groups", doc="JSON list: those that the provider named at the last sign-in"),
    instant_column("last_sign_in_at"),
    Index("ix_upstream_accounts_account_id", "account_id"),
    info={"about": "Which account here belongs to whom there; linked by issuer and subject, never by a mail address."},
)

upstream_sessions = Table(
    "upstream_sessions",
    metadata,
    Column("session_id", Text, ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
    text_column("provider_id", doc="Kept when the provider goes away"),
    text_column("upstream_sid", doc="sid of the ID token, or empty"),
    Index("ix_upstream_sessions_provider_id", "provider_id"),
    info={"about": "Sessions that began with a sign-in at a provider."},
)

upstream_sign_ins = Table(
    "upstream_sign_ins",
    metadata,
    Column("id", Text, primary_key=True, doc="Shown to people who were refused"),
    instant_column("at"),
    text_column("provider_id", doc="Kept when the provider goes away"),
    text_column("provider_name"),
    text_column("reason", doc="The check that failed; empty where the person was signed in"),
    text_column("detail"),
    text_column("hint"),
    text_column("subject", doc="sub of a verified ID token, or empty"),
    text_column("account_id", doc="Kept when the account goes away; empty where there is none"),
    text_column("seen", doc="JSON: the claim of groups, the groups in it, and the mappings that they met"),
    Index("ix_upstream_sign_ins_at", "at", "id"),
    Index("ix_upstream_sign_ins_provider_id", "provider_id", "at", "id"),
    info={"about": "Why sign-ins with a provider came out as they did. No part of a token is kept but sub and groups."},
)

upstream_logout_tokens = Table(
    "upstream_logout_tokens",
    metadata,
    Column("digest", LargeBinary, primary_key=True, doc="SHA-256 over the provider and the jti"),
    instant_column("kept_until"),
    Index("ix_upstream_logout_tokens_kept_until", "kept_until"),
    info={"about": "Logout tokens of providers that were taken, so that each counts once."},
)
