"""Read a compact JWS: its unverified parts, or its claims once the signature is verified."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from sealwright.tokens.encoding import decode_base64url, decode_object, split
from sealwright.tokens.errors import KeyUnknown, TokenMalformed, TokenRefused
from sealwright.tokens.models import SignedClaims, VerificationKey, VerificationKeys
from sealwright.tokens.signatures import ALGORITHMS, algorithms_of, verify_signature

_CACHED_HEADER = 512
_SHOWN = 64


class UnverifiedToken:
    """A compact JWS in its three parts, none of them proven. Each is decoded when it is asked for, and only once."""

    __slots__ = ("_claims", "_payload", "header", "signature", "signed")

    def __init__(self, token: str) -> None:
        """Reads the header; what is no token raises TokenMalformed."""
        header, self._payload, self.signature = split(token)
        self.signed = header + b"." + self._payload
        """What the signature is about."""
        self.header = _read_header(header)
        self._claims: Mapping[str, Any] | None = None

    def claims(self) -> Mapping[str, Any]:
        """What the token says, proven or not. Raises TokenMalformed."""
        if self._claims is None:
            self._claims = decode_object(decode_base64url(self._payload, "payload"), "payload")
        return self._claims


def verify(token: str | UnverifiedToken, keys: VerificationKeys, *, algorithms: frozenset[str]) -> SignedClaims:
    """Check the signature with the key that the header names; what is not allowed, unknown or wrong raises TokenRefused.

    Times, issuer and audience are the caller's to check, with the functions of `claims`.
    """
    read = UnverifiedToken(token) if isinstance(token, str) else token
    algorithm = read.header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in algorithms or algorithm not in ALGORITHMS:
        raise TokenRefused(f"The token is signed with {_cut(algorithm)}, which is not allowed here.")
    key = _choose(keys, read.header.get("kid"), algorithm)
    verify_signature(algorithm, key.public_key, decode_base64url(read.signature, "signature"), read.signed)
    return SignedClaims(read.header, read.claims())


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
