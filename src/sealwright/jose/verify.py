"""Read a compact JWS: its unverified parts, or its claims once the signature is verified."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from sealwright.jose.encoding import decode_base64url, decode_object, split
from sealwright.jose.errors import KeyUnknown, TokenMalformed, TokenRefused
from sealwright.jose.models import SignedClaims, VerificationKey, VerificationKeys
from sealwright.jose.signatures import ALGORITHMS, algorithms_of, verify_signature

JWT = "JWT"
"""The type of ID tokens and of provisioners' tokens; many who make such tokens leave it out."""
ACCESS_TOKEN = "at+jwt"  # noqa: S105 - RFC 9068, section 2.1
_CACHED_HEADER = 512
_SHOWN = 64


class UnverifiedToken:
    """A compact JWS in its three parts, none of them proven. Each is decoded when it is asked for, and only once."""

    __slots__ = ("_claims", "_payload", "header", "signature", "signed")

    def __init__(self, token: str) -> None:
        """Reads the header; what is not a token raises TokenMalformed."""
        header, self._payload, self.signature = split(token)
        self.signed = header + b"." + self._payload
        """What the signature is about."""
        self.header = _read_header(header)
        self._claims: Mapping[str, Any] | None = None

    @property
    def text(self) -> str:
        """The token as it came."""
        return (self.signed + b"." + self.signature).decode()

    def claims(self) -> Mapping[str, Any]:
        """What the token says, proven or not. Raises TokenMalformed."""
        if self._claims is None:
            self._claims = decode_object(decode_base64url(self._payload, "payload"), "payload")
        return self._claims


def verify(token: str | UnverifiedToken, keys: VerificationKeys, *, typ: str, algorithms: frozenset[str]) -> SignedClaims:
    """Check the signature with the key that the header names; what is not allowed, unknown or wrong raises TokenRefused.

    `typ` is the type that the use asks for, so that a token of one kind is never taken for another (RFC 8725, section 3.11);
    only where it is JWT may the header leave it out. Times, issuer and audience are the caller's to check, with the functions
    of `claims`.
    """
    read = UnverifiedToken(token) if isinstance(token, str) else token
    _require_type(read.header.get("typ"), typ)
    algorithm = read.header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in algorithms or algorithm not in ALGORITHMS:
        raise TokenRefused(f"The token is signed with {_cut(algorithm)}, which is not allowed here.")
    key = _choose(keys, read.header.get("kid"), algorithm)
    verify_signature(algorithm, key.public_key, decode_base64url(read.signature, "signature"), read.signed)
    return SignedClaims(read.header, read.claims())


def _require_type(found: Any, wanted: str) -> None:
    if found is None and wanted == JWT:
        return
    written = found.lower().removeprefix("application/") if isinstance(found, str) else None  # RFC 7515, section 4.1.9
    if written != wanted.lower():
        what = "an access token" if written == ACCESS_TOKEN.lower() else "of another type"
        raise TokenRefused(
            f"The token is {what}: its typ is {_cut(found)}, where {wanted} is needed.",
            hint="Send the ID token, which the provider gives beside the access token." if wanted == JWT else "",
        )


def _choose(keys: VerificationKeys, key_id: Any, algorithm: str) -> VerificationKey:
    if key_id is None:
        fitting = [key for key in keys if _fits(key, algorithm)]
        if len(fitting) == 1:
            return fitting[0]
        raise KeyUnknown("The token names no key, and its issuer does not have exactly one that fits.")
    if not isinstance(key_id, str):
        raise TokenMalformed("The token's kid is not a text.")
    known = False
    for key in keys:
        if key.id == key_id:
            if _fits(key, algorithm):
                return key
            known = True
    if known:
        raise TokenRefused(f"The key {_cut(key_id)} does not sign with {algorithm}.")
    raise KeyUnknown(f"The token is signed with the key {_cut(key_id)}, which its issuer does not have.")


def _fits(key: VerificationKey, algorithm: str) -> bool:
    if key.algorithm == algorithm:
        return True
    return (not key.algorithm or {key.algorithm, algorithm} == {"EdDSA", "Ed25519"}) and algorithm in algorithms_of(
        key.public_key
    )


def _read_header(segment: bytes) -> Mapping[str, Any]:
    return _read_short_header(segment) if len(segment) <= _CACHED_HEADER else _parse_header(segment)


def _parse_header(segment: bytes) -> Mapping[str, Any]:
    header = decode_object(decode_base64url(segment, "header"), "header")
    if "crit" in header:
        raise TokenMalformed(f"The token asks for extensions ({_cut(header['crit'])}) that are not understood here.")
    return MappingProxyType(header)


@lru_cache(maxsize=1024)
def _read_short_header(segment: bytes) -> Mapping[str, Any]:
    return _parse_header(segment)


def _cut(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
