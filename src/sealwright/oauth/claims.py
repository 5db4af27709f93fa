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
from sealwright.identity import Account, Group, PersonAttribute
from sealwright.oauth.authentication_context import acr_of, amr_of
from sealwright.oauth.claims_request import Values
from sealwright.oauth.confirmation import Confirmation
from sealwright.oauth.models import Client, TokenFamily

_PROFILE_ATTRIBUTES = (
    "given_name",
    "family_name",
    "middle_name",
    "nickname",
    "profile",
    "picture",
    "website",
    "gender",
    "birthdate",
    "zoneinfo",
    "locale",
)
CLAIMS_OF_SCOPE: Mapping[str, tuple[str, ...]] = {
    "openid": ("sub",),
    "profile": ("name", "preferred_username", *_PROFILE_ATTRIBUTES, "updated_at"),
    "email": ("email", "email_verified"),
    "address": ("address",),
    "phone": ("phone_number", "phone_number_verified"),
    "ssh_publickeys": ("ssh_publickeys",),
    "groups": ("groups",),
    "groups_name": ("groups",),
    "groups_spn": ("groups",),
    "groups_uuid": ("groups",),
}
ATTRIBUTE_SCOPES = frozenset({"profile", "address", "phone"})
"""What they tell is kept as attributes of the person."""
GROUP_SCOPES = frozenset(scope for scope, claims in CLAIMS_OF_SCOPE.items() if "groups" in claims)
"""Each tells groups in a form of its own: names, names with the domain, ids. `groups` is names."""


def claims_of(scopes: Iterable[str]) -> frozenset[str]:
    """The claims that these scopes tell."""
    return frozenset(claim for scope in scopes for claim in CLAIMS_OF_SCOPE.get(scope, ()))


class AskedClaim(Struct, frozen=True):
    """A claim that is asked for by itself, and that the person may grant."""

    name: str
    scope: str
    """Which tells it otherwise, and which the person may grant."""
    values: Values = ()
    """Those that are wanted; empty where any will do."""


def grantable(asked: Mapping[str, Values], reached: Collection[str]) -> tuple[AskedClaim, ...]:
    """Of claims that are asked for one by one, those that one of the reached scopes tells."""
    scopes = [scope for scope in CLAIMS_OF_SCOPE if scope in reached and scope != "openid"]
    found = ((name, next((scope for scope in scopes if name in CLAIMS_OF_SCOPE[scope]), "")) for name in asked)
    return tuple(AskedClaim(name, scope, tuple(asked[name])) for name, scope in found if scope)


class Subject(Struct, frozen=True):
    """The person that a token speaks of, as they are now."""

    account: Account
    groups: tuple[Group, ...]
    spn: str
    """``alice@example.org``."""
    mapped: Mapping[str, Any] = {}
    """Claims that the person's groups bring at this client."""
    attributes: Mapping[str, PersonAttribute] = {}
    ssh_keys: tuple[str, ...] = ()
    asked: tuple[AskedClaim, ...] = ()
    """Claims beside those of the scopes."""


def identity_claims(subject: Subject, client: Client, scopes: Collection[str]) -> dict[str, Any]:
    """The claims about a person that these scopes reach, and those that are asked for one by one."""
    return _asked_claims(subject, client) | _scope_claims(subject, client, scopes)


def _asked_claims(subject: Subject, client: Client) -> dict[str, Any]:
    of_scope = {scope: _scope_claims(subject, client, (scope,)) for scope in {each.scope for each in subject.asked}}
    found = ((each, of_scope[each.scope][each.name]) for each in subject.asked if each.name in of_scope[each.scope])
    return {each.name: value for each, value in found if not each.values or value in each.values}


def _scope_claims(subject: Subject, client: Client, scopes: Collection[str]) -> dict[str, Any]:
    account = subject.account
    claims: dict[str, Any] = {
        **subject.mapped,
        "sub": account.id,
    }
    if "profile" in scopes or "name" in client.always_included:
        claims["name"] = account.display_name
        claims["preferred_username"] = account.name if client.short_username else subject.spn
    if "profile" in scopes:
        held = ((name, subject.attributes.get(name)) for name in _PROFILE_ATTRIBUTES)
        claims |= {name: attribute.value for name, attribute in held if attribute is not None}
        claims["updated_at"] = to_seconds(account.updated_at)
    claims |= _contact(subject, scopes)
    mail = account.primary_mail
    if "email" in scopes and mail is not None:
        claims["email"] = mail.address
        claims["email_verified"] = mail.verified
    if not GROUP_SCOPES.isdisjoint(scopes):
        claims["groups"] = _groups(subject, scopes)
    return claims


def _contact(subject: Subject, scopes: Collection[str]) -> dict[str, Any]:
    claims: dict[str, Any] = {}
    address = {
        name.removeprefix("address."): attribute.value
        for name, attribute in subject.attributes.items()
        if name.startswith("address.")
    }
    if "address" in scopes and address:
        claims["address"] = address
    phone = subject.attributes.get("phone_number")
    if "phone" in scopes and phone is not None:
        claims["phone_number"] = phone.value
        claims["phone_number_verified"] = phone.verified
    if "ssh_publickeys" in scopes and subject.ssh_keys:
        claims["ssh_publickeys"] = list(subject.ssh_keys)
    return claims


def _groups(subject: Subject, scopes: Collection[str]) -> list[str]:
    domain = subject.spn.rpartition("@")[2]
    names: set[str] = set()
    for group in subject.groups:
        if "groups" in scopes or "groups_name" in scopes:
            names.add(group.name)
        if "groups_spn" in scopes:
            names.add(f"{group.name}@{domain}")
        if "groups_uuid" in scopes:
            names.add(group.id)
    return sorted(names)


class TokenContext(Struct, frozen=True):
    """For which client and family tokens are made, and when."""

    issuer_url: str
    client: Client
    family: TokenFamily
    methods: tuple[str, ...]
    """How the person proved who they are (RFC 8176)."""
    now: Instant
    nonce: str | None = None
    details: tuple[Mapping[str, Any], ...] = ()
    """Granted beyond scopes (RFC 9396)."""


def access_token_claims(
    context: TokenContext,
    scopes: Iterable[str],
    lifetime: timedelta,
    token_id: str,
    audience: Collection[str] = (),
    confirmation: Confirmation | None = None,
) -> dict[str, Any]:
    """The claims of an access token (RFC 9068, section 2.2), which `confirmation` binds to a key (RFC 8705, section 3.1).

    `audience`: whom it is for, where that is not the client.
    """
    family = context.family
    now = to_seconds(context.now)
    claims: dict[str, Any] = {
        "iss": context.issuer_url,
        "sub": family.subject,
        "aud": context.client.name if not audience else [*audience] if len(audience) > 1 else next(iter(audience)),
        "exp": to_seconds(after(context.now, lifetime)),
        "nbf": now,
        "iat": now,
        "jti": token_id,
        "client_id": context.client.name,
        "family": family.id,
    }
    scope = " ".join(scopes)
    if context.details:
        claims["authorization_details"] = list(context.details)
    if family.origin is not None and family.origin.act is not None:
        claims["act"] = family.origin.act
    if context.client.may_act is not None:
        claims["may_act"] = {"sub": context.client.may_act}
    bound = {} if confirmation is None else confirmation.claims()
    return claims | _sign_in_claims(family) | ({"scope": scope} if scope else {}) | bound


def _sign_in_claims(family: TokenFamily) -> dict[str, Any]:
    """When and in which session the person signed in; nothing where there is no person."""
    if family.authenticated_at is None:
        return {}
    return {"auth_time": to_seconds(family.authenticated_at), "sid": family.session_id}


def id_token_claims(
    context: TokenContext, subject: Subject, scopes: Collection[str], lifetime: timedelta, token_id: str
) -> dict[str, Any]:
    """The claims of an ID token (OpenID Connect Core, sections 2 and 3.1.3.6). `at_hash` is that of no token yet."""
    family = context.family
    now = to_seconds(context.now)
    if context.client.lean_id_token:
        about = {"sub": subject.account.id} | _asked_claims(subject, context.client)
    else:
        about = identity_claims(subject, context.client, scopes)
    claims = (
        about
        | {
            "iss": context.issuer_url,
            "aud": context.client.name,
            "azp": context.client.name,
            "exp": to_seconds(after(context.now, lifetime)),
            "nbf": now,
            "iat": now,
            "jti": token_id,
            "at_hash": _NO_TOKEN,
            "amr": amr_of(context.methods),
            "family": family.id,
        }
        | _sign_in_claims(family)
    )
    acr = acr_of(context.methods, family.claims.acr_values)
    if acr is not None:
        claims["acr"] = acr
    if context.nonce is not None:
        claims["nonce"] = context.nonce
    return claims


def left_half_digest(token: str) -> str:
    """`at_hash`: the left half of the token's SHA-256; both ES256 and RS256 hash with it."""
    return base64.urlsafe_b64encode(hashlib.sha256(token.encode("ascii")).digest()[:16]).rstrip(b"=").decode()


_NO_TOKEN = left_half_digest("")
"""Of the length that every digest has, so that a token's length is known before it is made."""
