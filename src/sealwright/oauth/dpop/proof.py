"""What a DPoP proof says and whether it fits the request that it comes with (RFC 9449, section 4.3). Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from sealwright.clock import Instant, after, before, from_seconds
from sealwright.jose import (
    JwkRefused,
    TokenRefused,
    UnverifiedToken,
    VerificationKey,
    base64url,
    public_key_from_jwk,
    thumbprint,
    verify,
)

PROOF = "dpop+jwt"
ALGORITHMS = frozenset({"ES256", "ES384", "ES512", "PS256", "PS384", "PS512", "EdDSA", "Ed25519"})
"""RSASSA-PKCS1-v1_5 is none of them: FAPI 2.0 forbids it, and new keys have no need of it."""
OLDEST = timedelta(seconds=60)
"""How long after its `iat` a proof is taken."""
NEWEST = timedelta(seconds=30)
"""How far ahead the clock of a client may be."""
LONGEST_PROOF = 8_192
LONGEST_ID = 256
_PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


class ProofRefused(ValueError):
    """Why a proof is refused, as a sentence."""


class Proof(NamedTuple):
    """A proof whose signature fits the key in it."""

    thumbprint: str
    """`jkt` of the key."""
    id: str
    nonce: str | None
    until: Instant
    """When it is refused for its age."""


def read_proof(
    text: str,
    *,
    method: str,
    urls: Collection[str],
    access_token: str | None,
    now: Instant,
    algorithms: frozenset[str] = ALGORITHMS,
) -> Proof:
    """The proof of a request to one of the addresses that the endpoint has; raises ProofRefused.

    `access_token`: the one that is sent with it; None where none is.
    """
    if len(text) > LONGEST_PROOF:
        raise ProofRefused(f"The DPoP proof has {len(text)} characters; at most {LONGEST_PROOF} are read.")
    try:
        read = UnverifiedToken(text)
        key = _key_of(read.header)
        claims = verify(read, (key,), typ=PROOF, algorithms=algorithms & ALGORITHMS).claims
    except (TokenRefused, JwkRefused) as cause:
        raise ProofRefused(f"The DPoP proof is not valid: {cause.detail}") from cause
    _require_request(claims, method, urls)
    _require_token(claims, access_token)
    issued_at = _issued_at(claims)
    if not before(now, OLDEST) <= issued_at <= after(now, NEWEST):
        raise ProofRefused("The DPoP proof was not made just now: its iat is too old, or lies ahead. Set the clock right.")
    return Proof(thumbprint(key.public_key), _id_of(claims), _nonce_of(claims), after(issued_at, OLDEST))


def _key_of(header: Mapping[str, Any]) -> VerificationKey:
    jwk = header.get("jwk")
    if not isinstance(jwk, dict):
        raise ProofRefused("The DPoP proof has no public key: the member jwk of its header.")
    if not _PRIVATE_MEMBERS.isdisjoint(jwk):
        raise ProofRefused("The DPoP proof holds a private key. Make a new key pair: this one is known to others now.")
    kid = header.get("kid")
    return VerificationKey(kid if isinstance(kid, str) else "", str(header.get("alg")), public_key_from_jwk(jwk))


def _require_request(claims: Mapping[str, Any], method: str, urls: Collection[str]) -> None:
    if claims.get("htm") != method:
        raise ProofRefused(f"The DPoP proof is for the method {str(claims.get('htm'))[:16]!r}; this request is {method}.")
    htu = claims.get("htu")
    if not isinstance(htu, str) or _normalized(htu) not in {_normalized(url) for url in urls}:
        raise ProofRefused(f"The DPoP proof is for {str(htu)[:200]!r}; this is {next(iter(urls))}.")


def _normalized(url: str) -> str:
    """Without query and fragment, which count for nothing (section 4.3), and with scheme and host as RFC 3986 has them."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return ""
    usual = {"https": 443, "http": 80}.get(parts.scheme.lower())
    host = f"{parts.hostname or ''}{'' if port in (None, usual) else f':{port}'}"
    return f"{parts.scheme.lower()}://{host}{parts.path or '/'}"


def _require_token(claims: Mapping[str, Any], access_token: str | None) -> None:
    if access_token is None:
        return
    if claims.get("ath") != base64url(hashlib.sha256(access_token.encode()).digest()):
        raise ProofRefused("The DPoP proof is not for this access token: its ath is not the digest of it.")


def _issued_at(claims: Mapping[str, Any]) -> Instant:
    seconds = claims.get("iat")
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds < 1 << 40:
        raise ProofRefused("The DPoP proof does not say when it was made: iat is missing, or no number of seconds.")
    return from_seconds(seconds)


def _id_of(claims: Mapping[str, Any]) -> str:
    found = claims.get("jti")
    if not isinstance(found, str) or not 0 < len(found) <= LONGEST_ID:
        raise ProofRefused(f"The DPoP proof has no jti of 1 to {LONGEST_ID} characters.")
    return found


def _nonce_of(claims: Mapping[str, Any]) -> str | None:
    nonce = claims.get("nonce")
    if nonce is not None and not isinstance(nonce, str):
        raise ProofRefused("The nonce of the DPoP proof is not a text.")
    return nonce
