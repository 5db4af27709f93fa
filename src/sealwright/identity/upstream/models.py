"""Other identity providers, the roles that their groups give, and why a sign-in with one is refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from enum import StrEnum
from typing import Any

from msgspec import Struct, field

from sealwright.clock import Instant

CALLBACK_PATH = "/auth/oidc/callback"
LOGIN_PATH = "/auth/oidc/login"
BACK_CHANNEL_PATH = "/auth/oidc/back-channel-logout"
USUAL_SCOPES = ("openid", "profile", "email")


class DowngradeRule(StrEnum):
    """What a provider may offer beside the algorithms that are accepted here."""

    STRICT = "strict"
    """Nothing that lets someone without its private key make tokens: HS256, HS384, HS512 and none are refused."""
    INTERSECTION = "intersection"
    """Anything, as long as one acceptable algorithm is among them; only acceptable ones are ever verified."""


class UpstreamProvider(Struct, frozen=True, kw_only=True):
    """One identity provider."""

    id: str
    name: str
    issuer_url: str
    client_id: str
    has_secret: bool
    groups_claim_path: str
    scopes: tuple[str, ...]
    downgrade_rule: DowngradeRule
    iat_window_seconds: int
    jwks_cache_ttl_seconds: int
    userinfo_groups: bool
    """Whether groups are asked for at the userinfo endpoint where the ID token names none."""
    allowed_email_domains: tuple[str, ...]
    """In lower case; empty: every one, and people without an address too."""
    enabled: bool
    created_at: Instant
    updated_at: Instant

    @property
    def keys_kept_at_most(self) -> timedelta:
        """After so long the metadata and the key set are fetched again at the latest."""
        return timedelta(seconds=self.jwks_cache_ttl_seconds)


class GroupMapping(Struct, frozen=True):
    """Members of this group at the provider hold this role here."""

    id: str
    provider_id: str
    group_name: str
    role: str
    created_at: Instant


class ProviderCheck(Struct, frozen=True):
    """The result of one check of a provider."""

    name: str
    passed: bool
    detail: str


class RefusedSignOn(StrEnum):
    """Why a sign-in with a provider was refused."""

    PRE_LOGIN_CONSUME_FAILED = "pre_login_consume_failed"
    MISSING_PRE_LOGIN_COOKIE = "missing_pre_login_cookie"
    STATE_MISMATCH = "state_mismatch"
    PROVIDER_REFUSED = "provider_refused"
    ISS_PARAM_MISSING = "iss_param_missing"
    ISS_PARAM_MISMATCH = "iss_param_mismatch"
    TOKEN_ENDPOINT = "token_endpoint_refused"  # noqa: S105 - a reason
    JWKS_UNREACHABLE = "jwks_unreachable"
    ENDPOINTS = "endpoints_not_usable"
    ALG_REJECTED = "alg_rejected"
    TOKEN_TOO_LONG = "token_too_long"  # noqa: S105 - a reason
    SIGNATURE = "signature_invalid"
    ISSUER_MISMATCH = "issuer_mismatch"
    AUDIENCE_MISMATCH = "audience_mismatch"
    AZP_MISMATCH = "azp_mismatch"
    TOKEN_EXPIRED = "token_expired"  # noqa: S105 - a reason
    IAT_WINDOW = "iat_window"
    NONCE_MISMATCH = "nonce_mismatch"
    AT_HASH_MISMATCH = "at_hash_mismatch"
    GROUPS_MISSING = "groups_missing"
    UNMAPPED_GROUPS = "unmapped_groups"
    EMAIL_MISSING = "email_missing_but_required"
    EMAIL_DOMAIN = "email_domain_not_allowed"
    USER_DEACTIVATED = "user_deactivated"
    PROVIDER_DISABLED = "provider_disabled"
    UNSPECIFIED = "unspecified"


class SeenGroups(Struct, frozen=True):
    """What a provider said of someone's groups, and the mappings that they met then."""

    claim: str = ""
    source: str = ""
    """``id_token`` or ``userinfo``; empty where no groups were seen."""
    groups: tuple[str, ...] = ()
    """The first so many."""
    in_all: int = 0
    mapped: tuple[tuple[str, str], ...] = ()
    """Group and role."""
    near: tuple[tuple[str, str], ...] = ()
    """A group that was seen, and the mapped one that differs from it in case or slashes only."""


class SignInRecord(Struct, frozen=True, kw_only=True):
    """One sign-in with a provider, which was accepted or refused."""

    id: str
    at: Instant
    provider_id: str
    provider_name: str
    reason: str = ""
    """The check that failed; empty where the person was signed in."""
    detail: str = ""
    hint: str = ""
    subject: str = ""
    account_id: str = ""
    seen: SeenGroups = field(default_factory=SeenGroups)

    @property
    def accepted(self) -> bool:
        """Whether the person was signed in."""
        return not self.reason


def groups_at(claims: Mapping[str, Any], path: str) -> tuple[str, ...] | None:
    """The groups in the claims of an ID token; None where the claim is absent or is neither a text nor a list of texts.

    A path that looks like a URL is the name of one claim, as Auth0 writes it; any other is walked at its dots.
    """
    found: Any = claims
    for name in (path,) if path.lower().startswith(("http:", "https:")) else path.split("."):
        if not isinstance(found, Mapping) or name not in found:
            return None
        found = found[name]
    if isinstance(found, str):
        return (found,)
    if isinstance(found, Sequence) and all(isinstance(each, str) for each in found):
        return tuple(found)
    return None


def nearest(group: str, mapped: Sequence[str]) -> str | None:
    """A mapped group that differs from `group` in case or slashes only; None where there is none."""
    wanted = group.strip("/").casefold()
    return next((each for each in mapped if each != group and each.strip("/").casefold() == wanted), None)
