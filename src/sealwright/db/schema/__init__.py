"""Every table, once, for SQLite and PostgreSQL alike: one file a domain, one MetaData.

Portable types only. Instants are milliseconds since the epoch; flags are 0 or 1; digests are SHA-256 of a secret; JSON is
text. Indexes that name an engine are in `full_schema`. Other packages reach tables only through a `store.py`.
What `doc` and `about` say is in the reference.
"""

from __future__ import annotations

from sealwright.db.schema.access import role_grants, role_permissions, roles
from sealwright.db.schema.api_keys import api_key_uses, api_keys
from sealwright.db.schema.approvals import approval_requests, approval_rules, approval_votes
from sealwright.db.schema.audit import audit_events, audit_names
from sealwright.db.schema.ca import certificate_names, certificates, issuers, provisioners, used_tokens
from sealwright.db.schema.columns import metadata
from sealwright.db.schema.identity import (
    account_policies,
    accounts,
    api_tokens,
    credentials,
    group_members,
    group_nestings,
    groups,
    imported_people,
    known_devices,
    mail_addresses,
    one_time_links,
    passkeys,
    pending_sign_ins,
    person_attributes,
    person_imports,
    recycle_bin,
    sessions,
    ssh_public_keys,
    throttles,
    used_challenges,
)
from sealwright.db.schema.keys import key_changes, signing_keys
from sealwright.db.schema.mail import mail_outbox
from sealwright.db.schema.oauth import (
    oauth_answered_requests,
    oauth_claim_joins,
    oauth_claim_maps,
    oauth_client_images,
    oauth_clients,
    oauth_codes,
    oauth_consent_history,
    oauth_consents,
    oauth_device_requests,
    oauth_dpop_proofs,
    oauth_families,
    oauth_issuers,
    oauth_logout_deliveries,
    oauth_pushed_requests,
    oauth_refresh_tokens,
    oauth_registration_tokens,
    oauth_registrations,
    oauth_scope_maps,
    oauth_supplementary_scope_maps,
    oauth_used_jwts,
)
from sealwright.db.schema.runtime import leases
from sealwright.db.schema.upstream import (
    group_role_mappings,
    oidc_pre_login_sessions,
    oidc_providers,
    upstream_accounts,
    upstream_sessions,
    upstream_sign_ins,
)

__all__ = [
    "account_policies",
    "accounts",
    "api_key_uses",
    "api_keys",
    "api_tokens",
    "approval_requests",
    "approval_rules",
    "approval_votes",
    "audit_events",
    "audit_names",
    "certificate_names",
    "certificates",
    "credentials",
    "group_members",
    "group_nestings",
    "group_role_mappings",
    "groups",
    "imported_people",
    "issuers",
    "key_changes",
    "known_devices",
    "leases",
    "mail_addresses",
    "mail_outbox",
    "metadata",
    "oauth_answered_requests",
    "oauth_claim_joins",
    "oauth_claim_maps",
    "oauth_client_images",
    "oauth_clients",
    "oauth_codes",
    "oauth_consent_history",
    "oauth_consents",
    "oauth_device_requests",
    "oauth_dpop_proofs",
    "oauth_families",
    "oauth_issuers",
    "oauth_logout_deliveries",
    "oauth_pushed_requests",
    "oauth_refresh_tokens",
    "oauth_registration_tokens",
    "oauth_registrations",
    "oauth_scope_maps",
    "oauth_supplementary_scope_maps",
    "oauth_used_jwts",
    "oidc_pre_login_sessions",
    "oidc_providers",
    "one_time_links",
    "passkeys",
    "pending_sign_ins",
    "person_attributes",
    "person_imports",
    "provisioners",
    "recycle_bin",
    "role_grants",
    "role_permissions",
    "roles",
    "sessions",
    "signing_keys",
    "ssh_public_keys",
    "throttles",
    "upstream_accounts",
    "upstream_sessions",
    "upstream_sign_ins",
    "used_challenges",
    "used_tokens",
]
