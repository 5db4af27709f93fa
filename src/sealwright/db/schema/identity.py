"""Accounts, groups, credentials, sessions and links that work once."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, LargeBinary, Table, Text, UniqueConstraint, text

from sealwright.db.schema.columns import (
    INSTANT,
    blob_column,
    flag_column,
    instant_column,
    maker_column,
    metadata,
    ref_column,
    text_column,
)

_MANAGED = text("managed_by IS NOT NULL")

accounts = Table(
    "accounts",
    metadata,
    Column("id", Text, primary_key=True, doc="UUID, which is also the sub of ID tokens"),
    text_column("kind", doc="person, service or system"),
    Column("name", Text, nullable=False, unique=True),
    text_column("display_name"),
    instant_column("created_at"),
    instant_column("updated_at"),
    instant_column("valid_from", nullable=True),
    instant_column("valid_until", nullable=True),
    instant_column("disabled_at", nullable=True, doc="Since then it cannot sign in, and its certificates are not renewed"),
    flag_column("credential_generation", 0, doc="Counts the resets that end certificates; those of an older one are not renewed"),
    text_column("managed_by", nullable=True, doc="Of a service account: the account or group that may make its API tokens"),
    Index("ix_accounts_managed_by", "managed_by", sqlite_where=_MANAGED, postgresql_where=_MANAGED),
    info={"about": "People, services, and the accounts that a server has from the start."},
)

mail_addresses = Table(
    "mail_addresses",
    metadata,
    Column("account_id", Text, ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True, doc="0 is the primary address"),
    text_column("address"),
    Column("address_folded", Text, nullable=False, unique=True, doc="For comparison; one address belongs to one account"),
    instant_column("verified_at", nullable=True),
    info={"about": "Mail addresses of accounts."},
)

person_attributes = Table(
    "person_attributes",
    metadata,
    Column("account_id", Text, ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("name", Text, primary_key=True, doc="That of the claim; parts of an address begin with address."),
    text_column("value"),
    instant_column("verified_at", nullable=True, doc="Null where the person says so of themselves"),
    info={"about": "What is kept about people beside names and mail addresses."},
)

ssh_public_keys = Table(
    "ssh_public_keys",
    metadata,
    Column("account_id", Text, ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("tag", Text, primary_key=True),
    text_column("public_key", doc="Type and key in base64, without a comment"),
    instant_column("created_at"),
    info={"about": "SSH public keys of people."},
)

groups = Table(
    "groups",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    text_column("description"),
    flag_column("builtin", 0),
    instant_column("created_at"),
    text_column("managed_by", nullable=True, doc="Account or group that may change the members without a permission"),
    Index("ix_groups_managed_by", "managed_by", sqlite_where=_MANAGED, postgresql_where=_MANAGED),
    info={"about": "Groups of accounts and of groups."},
)

account_words = Table(
    "account_words",
    metadata,
    Column("kind", Text, primary_key=True, doc="As in accounts"),
    Column("word", LargeBinary, primary_key=True, doc="Of its name, display name or mail addresses, folded; or a whole address"),
    Column("name", Text, primary_key=True, doc="As in accounts"),
    ref_column("account_id", "accounts.id", cascade=True),
    Index("ix_account_words_account_id", "account_id", "word"),
    sqlite_with_rowid=False,
    info={"about": "Words by whose beginnings people and services are found."},
)

group_words = Table(
    "group_words",
    metadata,
    Column("word", LargeBinary, primary_key=True, doc="Of its name or its description, folded"),
    Column("name", Text, primary_key=True, doc="As in groups"),
    ref_column("group_id", "groups.id", cascade=True),
    Index("ix_group_words_group_id", "group_id", "word"),
    sqlite_with_rowid=False,
    info={"about": "Words by whose beginnings groups are found."},
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

account_policies = Table(
    "account_policies",
    metadata,
    Column("group_id", Text, ForeignKey("groups.id", ondelete="CASCADE"), primary_key=True),
    Column("auth_expiry", Integer, nullable=True, doc="Seconds that a sign-in lasts at the most"),
    Column("privilege_expiry", Integer, nullable=True, doc="Seconds after a sign-in in which changes can be made"),
    text_column("credential_minimum", nullable=True, doc="any, mfa or passkey"),
    Column("password_minimum_length", Integer, nullable=True, doc="Characters that a new password has at least"),
    Column("self_mail_write", Integer, nullable=True, doc="Whether members may change their own mail addresses; 0 or 1"),
    info={"about": "What groups ask of the sign-ins of their members; of several groups the strictest counts."},
)

credentials = Table(
    "credentials",
    metadata,
    Column("id", Text, primary_key=True),
    ref_column("account_id", "accounts.id", cascade=True),
    text_column("kind", doc="password, totp, totp_unconfirmed or recovery_code"),
    text_column("label"),
    blob_column(
        "secret",
        doc="Argon2 digest (PHC text) or hash of another server; sealed TOTP secret; digest of a recovery code",
    ),
    instant_column("created_at"),
    Column("last_step", INSTANT, nullable=True, doc="Of a second factor the last time step used, so that a code works once"),
    flag_column("foreign_hash", 0, doc="Whether it is a password that another server hashed, until it is hashed anew"),
    UniqueConstraint("account_id", "kind", "label"),
    Index("ix_credentials_foreign_hash", "foreign_hash"),
    info={"about": "Passwords and second factors."},
)

passkeys = Table(
    "passkeys",
    metadata,
    Column("id", Text, primary_key=True),
    ref_column("account_id", "accounts.id", cascade=True),
    Column("credential_id", LargeBinary, nullable=False, unique=True, doc="By which the authenticator knows it"),
    blob_column("public_key", doc="COSE_Key"),
    Column("sign_count", INSTANT, nullable=False, doc="Counter of the authenticator at the last use; 0 if it has none"),
    flag_column("backed_up", 0, doc="Whether it can be synchronized between devices"),
    text_column("label"),
    instant_column("created_at"),
    instant_column("last_used_at", nullable=True),
    UniqueConstraint("account_id", "label"),
    info={"about": "Passkeys (WebAuthn credentials) of accounts."},
)

api_tokens = Table(
    "api_tokens",
    metadata,
    Column("id", Text, primary_key=True),
    ref_column("account_id", "accounts.id", cascade=True),
    Column("digest", LargeBinary, nullable=False, unique=True),
    text_column("label"),
    flag_column("read_only", 1),
    instant_column("created_at"),
    instant_column("expires_at", nullable=True),
    instant_column("last_used_at", nullable=True),
    maker_column(),
    UniqueConstraint("account_id", "label"),
    Index("ix_api_tokens_expires_at", "expires_at"),
    info={"about": "API tokens of service accounts; one that was revoked is not here any more."},
)

recycle_bin = Table(
    "recycle_bin",
    metadata,
    Column("id", Text, primary_key=True, doc="That of the account or group"),
    text_column("kind", doc="person, service or group"),
    Column("name", Text, nullable=False, unique=True, doc="Reserved: no other account or group can have it meanwhile"),
    text_column("content", doc="JSON: what is restored"),
    instant_column("deleted_at"),
    text_column("deleted_by", doc="Name of who deleted it"),
    info={"about": "Deleted accounts and groups, which can be revived for some days."},
)

used_challenges = Table(
    "used_challenges",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    instant_column("expires_at"),
    Index("ix_used_challenges_expires_at", "expires_at"),
    info={"about": "WebAuthn challenges that were used, until they expire, so that each works once."},
)

throttles = Table(
    "throttles",
    metadata,
    Column("key", LargeBinary, primary_key=True, doc="Digest of what is counted: an account, a known device of one, an address"),
    Column("failures", Integer, nullable=False, doc="Attempts that have not turned out well"),
    instant_column("counted_since", doc="Of the oldest failure that counts, or when one before it was forgotten"),
    instant_column("blocked_until"),
    Index("ix_throttles_counted_since", "counted_since"),
    info={"about": "Failed attempts to sign in, by account and by address."},
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("digest", LargeBinary, nullable=False, unique=True),
    ref_column("account_id", "accounts.id", cascade=True),
    text_column("kind", doc="browser or terminal"),
    text_column("methods", doc="RFC 8176 names with spaces between them: pwd, or pwd otp"),
    text_column("address"),
    text_column("user_agent"),
    instant_column("created_at"),
    instant_column("authenticated_at"),
    instant_column("last_seen_at"),
    instant_column("expires_at"),
    instant_column("ended_at", nullable=True),
    text_column("end_reason", nullable=True),
    instant_column("revoked_at", nullable=True, doc="Since then not even applications with offline_access outlive it"),
    flag_column("restricted", 0, doc="Whether it only serves to add the credential that an account policy asks for"),
    Index("ix_sessions_account_id", "account_id"),
    Index("ix_sessions_expires_at", "expires_at", "id"),
    info={"about": "Who is signed in where."},
)

pending_sign_ins = Table(
    "pending_sign_ins",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    ref_column("account_id", "accounts.id", cascade=True),
    text_column("kind"),
    text_column("methods"),
    text_column("continue_to", doc="Where to go after it"),
    instant_column("created_at"),
    instant_column("expires_at"),
    instant_column("consumed_at", nullable=True),
    Index("ix_pending_sign_ins_account_id", "account_id"),
    Index("ix_pending_sign_ins_expires_at", "expires_at"),
    info={"about": "Sign-ins whose password was right and whose second factor is awaited."},
)

known_devices = Table(
    "known_devices",
    metadata,
    Column("id", Text, primary_key=True),
    ref_column("account_id", "accounts.id", cascade=True),
    blob_column("digest", doc="Of the token that the device holds; the same for every account that is used on it"),
    text_column("user_agent"),
    instant_column("created_at"),
    instant_column("last_used_at", doc="The last sign-in from it"),
    UniqueConstraint("account_id", "digest"),
    Index("ix_known_devices_digest", "digest"),
    Index("ix_known_devices_last_used_at", "last_used_at"),
    info={"about": "Devices from which people signed in before; attempts from them are counted by themselves."},
)

one_time_links = Table(
    "one_time_links",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    text_column("purpose", doc="welcome, invite, reset or mail"),
    ref_column("account_id", "accounts.id", nullable=True, cascade=True),
    instant_column("created_at"),
    instant_column("expires_at"),
    instant_column("consumed_at", nullable=True),
    flag_column("end_certificates", 0, doc="Whether the person's certificates end when the link is used"),
    Column("created_by", Text, nullable=True, doc="Account that made it; empty where it was the server itself"),
    Index("ix_one_time_links_account_id", "account_id"),
    Index("ix_one_time_links_expires_at", "expires_at"),
    info={"about": "Links that work once: for the first administrator, and to set a new password."},
)

person_imports = Table(
    "person_imports",
    metadata,
    Column("id", Text, primary_key=True),
    text_column("created_by", doc="Id of the account that began it"),
    instant_column("created_at"),
    instant_column("expires_at", doc="Not finished by then, it is forgotten"),
    info={"about": "Imports of people that have begun."},
)

imported_people = Table(
    "imported_people",
    metadata,
    Column("import_id", Text, ForeignKey("person_imports.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),
    blob_column("sealed", doc="The person as they will be stored, with the hash of their password"),
    info={"about": "People of an import, until it is finished."},
)

bootstrap_tokens = Table(
    "bootstrap_tokens",
    metadata,
    Column("digest", LargeBinary, primary_key=True, doc="SHA-256"),
    instant_column("used_at"),
    info={"about": "Bootstrap tokens that made a first administrator: each counts once."},
)

break_glass = Table(
    "break_glass",
    metadata,
    Column("id", Text, primary_key=True, doc="There is one row at most"),
    blob_column("secret", doc="Argon2 digest (PHC text)"),
    instant_column("set_at"),
    info={"about": "The password for emergencies, which is none of an account."},
)
