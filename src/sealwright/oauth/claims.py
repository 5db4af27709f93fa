"""What tokens say about a person, and the claims of ID and access tokens. Pure.

No claim is ever named `sha`, `sans`, `google`, `amazon` or `azure`: clients of certificate authorities take a token with one
of these for another kind of token.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta
from typing import Any

from msgspec import Struct

from sealwright.clock import Instant, after, to_seconds
from sealwright.identity import Account, Group
from sealwright.oauth.models import Client, TokenFamily

ALWAYS = ("sub", "name", "preferred_username")
"""Told whatever was asked: a certificate authority needs the user name, and asks for no scope beyond openid and email."""

CLAIMS_OF_SCOPE: Mapping[str, tuple[str, ...]] = {
    "openid": ("sub",),
    "profile": ("name", "preferred_username", "updated_at"),
    "email": ("email", "email_verified"),
    "groups": ("groups",),
    "groups_name": ("groups",),
    "groups_spn": ("groups",),
    "groups_uuid": ("groups",),
}
GROUP_SCOPES = frozenset(scope for scope, claims in CLAIMS_OF_SCOPE.items() if "groups" in claims)
"""Each tells groups in a form of its own: names, names with the domain, ids. `groups` is names."""


class Subject(Struct, frozen=True):
    """The person that a token speaks of, as they are now."""

    account: Account
    groups: tuple[Group, ...]
    spn: str
    """``alice@example.org``."""
    mapped: Mapping[str, Any] = {}
    """Claims that the person's groups bring at this client."""


def identity_claims(subject: Subject, client: Client, scopes: Collection[str]) -> dict[str, Any]:
    """The claims about a person that these scopes reach; the same in the ID token and at userinfo."""
    account = subject.account
    claims: dict[str, Any] = {
        **subject.mapped,
        "sub": account.id,
        "name": account.display_name,
        "preferred_username": account.name if client.short_username else subject.spn,
    }
    if "profile" in scopes:
        claims["updated_at"] = to_seconds(account.updated_at)
    mail = account.primary_mail
    if "email" in scopes and mail is not None:
        claims["email"] = mail.address
        claims["email_verified"] = mail.verified
    if not GROUP_SCOPES.isdisjoint(scopes):
        claims["groups"] = _groups(subject, scopes)
    return claims


def _groups(subject: Subject, scopes: Collection[str]) -> list[str]:
    domain = subject.spn.rpartition("@")[2]
    told: set[str] = set()
    for group in subject.groups:
        if "groups" in scopes or "groups_name" in scopes:
            told.add(group.name)
        if "groups_spn" in scopes:
            told.add(f"{group.name}@{domain}")
        if "groups_uuid" in scopes:
            told.add(group.id)
    return sorted(told)


class TokenContext(Struct, frozen=True):
    """For which client and family tokens are made, and when."""

    issuer_url: str
    client: Client
    family: TokenFamily
    methods: tuple[str, ...]
    """How the person proved who they are (RFC 8176)."""
    now: Instant
    nonce: str | None = None


def access_token_claims(context: TokenContext, scopes: Iterable[str], lifetime: timedelta, token_id: str) -> dict[str, Any]:
    """The claims of an access token (RFC 9068, section 2.2)."""
    family = context.family
    now = to_seconds(context.now)
    claims: dict[str, Any] = {
        "iss": context.issuer_url,
        "sub": family.subject,
        "aud": context.client.name,
        "exp": to_seconds(after(context.now, lifetime)),
        "nbf": now,
        "iat": now,
        "jti": token_id,
        "client_id": context.client.name,
        "family": family.id,
    }
    scope = " ".join(scopes)
    return claims | _sign_in_claims(family) | ({"scope": scope} if scope else {})


def _sign_in_claims(family: TokenFamily) -> dict[str, Any]:
    """When and in which session the person signed in; nothing where there is no person."""
    if family.authenticated_at is None:
        return {}
    return {"auth_time": to_seconds(family.authenticated_at), "sid": family.session_id}


def id_token_claims(
    context: TokenContext, subject: Subject, scopes: Collection[str], lifetime: timedelta, token_id: str, access_token: str
) -> dict[str, Any]:
    """The claims of an ID token (OpenID Connect Core, sections 2 and 3.1.3.6)."""
    family = context.family
    now = to_seconds(context.now)
    claims = (
        identity_claims(subject, context.client, scopes)
        | {
            "iss": context.issuer_url,
            "aud": context.client.name,
            "azp": context.client.name,
            "exp": to_seconds(after(context.now, lifetime)),
            "nbf": now,
            "iat": now,
            "jti": token_id,
            "at_hash": left_half_digest(access_token),
            "amr": list(context.methods),
            "family": family.id,
        }
        | _sign_in_claims(family)
    )
    if context.nonce is not None:
        claims["nonce"] = context.nonce
    return claims


def left_half_digest(token: str) -> str:
    """`at_hash`: the left half of the token's SHA-256; both ES256 and RS256 hash with it."""
    return base64.urlsafe_b64encode(hashlib.sha256(token.encode("ascii")).digest()[:16]).rstrip(b"=").decode()
