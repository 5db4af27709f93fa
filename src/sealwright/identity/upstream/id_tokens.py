"""Check the ID token of an identity provider (OpenID Connect Core, section 3.1.3.7)."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from msgspec import Struct

from sealwright.clock import Instant, after, before, to_rfc3339
from sealwright.errors import Unavailable
from sealwright.identity.policy import printable
from sealwright.identity.upstream.errors import SignOnRefused
from sealwright.identity.upstream.models import RefusedSignOn, UpstreamProvider
from sealwright.jose import (
    JWT,
    LEEWAY,
    LONGEST_TOKEN,
    SignedClaims,
    TokenRefused,
    UnverifiedToken,
    audiences,
    base64url,
    check_times,
    instant_claim,
    require_text,
    verify,
)
from sealwright.openid_providers import TrustedProviders

LONGEST_SUBJECT = 255
"""OpenID Connect Core, section 2."""
_CLOCKS = "Set the clocks of this server and of the provider."
_HASHES = {"256": hashlib.sha256, "384": hashlib.sha384, "512": hashlib.sha512}


class UpstreamIdentity(Struct, frozen=True):
    """Who signed in at a provider."""

    subject: str
    user_name: str
    display_name: str
    session_id: str
    authenticated_at: Instant
    """When they proved there who they are, as far as the provider tells."""
    claims: Mapping[str, Any]
    methods: tuple[str, ...] = ()
    """How they proved it, where that was at this very server."""
    is_local: bool = False
    """Whether this server is the provider, so that the subject is the id of an account here."""


async def verify_id_token(
    provider: UpstreamProvider,
    text: object,
    providers: TrustedProviders,
    now: Instant,
    *,
    nonce: str,
    access_token: object,
) -> UpstreamIdentity:
    """The person whom an ID token names; raises SignOnRefused with the check that failed."""
    if not isinstance(text, str) or not text:
        raise SignOnRefused(RefusedSignOn.TOKEN_ENDPOINT, f"{provider.name} gave no ID token.")
    if len(text) > LONGEST_TOKEN:
        raise SignOnRefused(
            RefusedSignOn.TOKEN_TOO_LONG,
            f"The ID token of {provider.name} has {len(text)} characters; {LONGEST_TOKEN} are read here.",
            hint="Let the provider name only the groups that are mapped here, or leave groups out of the ID token and have them "
            "asked for at its userinfo endpoint.",
        )
    try:
        token = UnverifiedToken(text)
    except TokenRefused as cause:
        raise SignOnRefused(RefusedSignOn.SIGNATURE, cause.detail) from cause
    signed, is_local = await _verified(provider, token, providers)
    claims = signed.claims
    _check_recipient(provider, claims)
    _check_validity(provider, claims, now)
    subject = _subject(claims)
    if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
        raise SignOnRefused(RefusedSignOn.NONCE_MISMATCH, "The ID token was made for another sign-in.")
    if isinstance(access_token, str) and access_token:
        _check_hash(claims, str(token.header.get("alg")), access_token)
    return UpstreamIdentity(
        subject=subject,
        user_name=_text(claims, "preferred_username") or _text(claims, "email") or subject,
        display_name=_text(claims, "name"),
        session_id=printable(_text(claims, "sid")),
        authenticated_at=_authenticated_at(claims, now),
        claims=claims,
        methods=_methods(claims) if is_local else (),
        is_local=is_local,
    )


async def _verified(provider: UpstreamProvider, token: UnverifiedToken, providers: TrustedProviders) -> tuple[SignedClaims, bool]:
    """What the token says, and whether this server is the provider."""
    key_id = token.header.get("kid")
    try:
        metadata, keys = await providers.keys_for(
            provider.issuer_url,
            key_id if isinstance(key_id, str) else None,
            kept_at_most=provider.keys_kept_at_most,
        )
    except Unavailable as cause:
        raise SignOnRefused(RefusedSignOn.JWKS_UNREACHABLE, cause.detail) from cause
    algorithm = token.header.get("alg")
    if algorithm not in metadata.algorithms:
        raise SignOnRefused(
            RefusedSignOn.ALG_REJECTED, f"The ID token is signed with {str(algorithm)[:40]}, which is not accepted."
        )
    try:
        return verify(token, keys, typ=JWT, algorithms=metadata.algorithms), metadata.local
    except TokenRefused as cause:
        raise SignOnRefused(RefusedSignOn.SIGNATURE, cause.detail) from cause


def _check_recipient(provider: UpstreamProvider, claims: Mapping[str, Any]) -> None:
    if claims.get("iss") != provider.issuer_url:
        raise SignOnRefused(
            RefusedSignOn.ISSUER_MISMATCH,
            f"The ID token was issued by {str(claims.get('iss'))[:200]}, not by {provider.issuer_url}: every character counts.",
        )
    try:
        recipients = audiences(claims)
    except TokenRefused as cause:
        raise SignOnRefused(RefusedSignOn.AUDIENCE_MISMATCH, cause.detail) from cause
    if provider.client_id not in recipients:
        raise SignOnRefused(RefusedSignOn.AUDIENCE_MISMATCH, "The ID token is meant for another client.")
    party = claims.get("azp")
    if (party is not None or len(recipients) > 1) and party != provider.client_id:
        raise SignOnRefused(RefusedSignOn.AZP_MISMATCH, "The ID token was given to another client (azp).")


def _check_validity(provider: UpstreamProvider, claims: Mapping[str, Any], now: Instant) -> None:
    issued = _issued_at(claims, now)
    try:
        check_times(claims, now, LEEWAY)
    except TokenRefused as cause:
        raise SignOnRefused(RefusedSignOn.TOKEN_EXPIRED, cause.detail) from cause
    if issued < before(now, timedelta(seconds=provider.iat_window_seconds)):
        raise SignOnRefused(
            RefusedSignOn.IAT_WINDOW,
            f"The ID token was issued at {to_rfc3339(issued)}, which is more than {provider.iat_window_seconds} seconds ago.",
            hint=_CLOCKS,
        )


def _subject(claims: Mapping[str, Any]) -> str:
    try:
        subject = require_text(claims, "sub")
    except TokenRefused as cause:
        raise SignOnRefused(RefusedSignOn.UNSPECIFIED, cause.detail) from cause
    if len(subject) > LONGEST_SUBJECT or not subject.isprintable():
        raise SignOnRefused(
            RefusedSignOn.UNSPECIFIED,
            f"The ID token's sub is not one to {LONGEST_SUBJECT} printable characters: {printable(subject, 80)!r}.",
            hint="Ask who runs the provider to give this person a shorter or plain identifier.",
        )
    return subject


def _issued_at(claims: Mapping[str, Any], now: Instant) -> Instant:
    try:
        issued = instant_claim(claims, "iat")
    except TokenRefused as cause:
        raise SignOnRefused(RefusedSignOn.IAT_WINDOW, cause.detail) from cause
    if issued is None:
        raise SignOnRefused(RefusedSignOn.IAT_WINDOW, "The ID token does not say when it was issued.")
    if issued > after(now, LEEWAY):
        raise SignOnRefused(
            RefusedSignOn.IAT_WINDOW,
            f"The ID token was issued in the future, at {to_rfc3339(issued)}; it is {to_rfc3339(now)}.",
            hint=_CLOCKS,
        )
    return issued


def _authenticated_at(claims: Mapping[str, Any], now: Instant) -> Instant:
    """What `auth_time` says: a session there that goes on by itself is not a recent sign-in here."""
    try:
        stated = instant_claim(claims, "auth_time")
    except TokenRefused as cause:
        raise SignOnRefused(RefusedSignOn.UNSPECIFIED, cause.detail) from cause
    return now if stated is None or stated >= before(now, LEEWAY) else stated


def _check_hash(claims: Mapping[str, Any], algorithm: str, access_token: str) -> None:
    """`at_hash` (section 3.1.3.6): optional where both come from the token endpoint, and then Entra ID and Auth0 leave it out."""
    if "at_hash" not in claims:
        return
    digest = _HASHES.get(algorithm[-3:], hashlib.sha512)(access_token.encode()).digest()
    expected = base64url(digest[: len(digest) // 2])
    if not hmac.compare_digest(str(claims["at_hash"]).encode(), expected.encode()):
        raise SignOnRefused(RefusedSignOn.AT_HASH_MISMATCH, "The access token is not the one that the ID token was made with.")


def _methods(claims: Mapping[str, Any]) -> tuple[str, ...]:
    stated = claims.get("amr")
    return tuple(each for each in stated if isinstance(each, str)) if isinstance(stated, list) else ()


def _text(claims: Mapping[str, Any], name: str) -> str:
    found = claims.get(name)
    return found if isinstance(found, str) else ""
