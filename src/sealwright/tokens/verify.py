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


def unverified_header(token: str) -> Mapping[str, Any]:
    """The header, before anything is proven: to find the key. Raises TokenMalformed."""
    return _read_header(split(token)[0])


def unverified_claims(token: str) -> Mapping[str, Any]:
    """The claims, before anything is proven: to find out who should be asked. Raises TokenMalformed."""
    _, payload, _ = split(token)
    return decode_object(decode_base64url(payload, "payload"), "payload")


def verify(token: str, keys: VerificationKeys, *, algorithms: frozenset[str]) -> SignedClaims:
    """Check the signature with the key that the header names; what is not allowed, unknown or wrong raises TokenRefused.

    Times, issuer and audience are the caller's to check, with the functions of `claims`.
    """
    header_segment, payload_segment, signature_segment = split(token)
    header = _read_header(header_segment)
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in algorithms or algorithm not in ALGORITHMS:
        raise TokenRefused(f"The token is signed with {_cut(algorithm)}, which is not allowed here.")
    key = _choose(keys, header.get("kid"), algorithm)
    signature = decode_base64url(signature_segment, "signature")
    verify_signature(algorithm, key.public_key, signature, header_segment + b"." + payload_segment)
    return SignedClaims(header, decode_object(decode_base64url(payload_segment, "payload"), "payload"))


def _choose(keys: VerificationKeys, key_id: Any, algorithm: str) -> VerificationKey:
    if key_id is None:
        fitting = [key for key in keys if _fits(key, algorithm)]
        if len(fitting) == 1:
            return fitting[0]
        raise KeyUnknown("The token names no key, and its issuer does not have exactly one that fits.")
    if not isinstance(key_id, str):
        raise TokenMalformed("The token's kid is not a text.")
    named = [key for key in keys if key.id == key_id]
    if not named:
        raise KeyUnknown(f"The token is signed with the key {_cut(key_id)}, which its issuer does not have.")
    for key in named:
        if _fits(key, algorithm):
            return key
    raise TokenRefused(f"The key {_cut(key_id)} does not sign with {algorithm}.")


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
