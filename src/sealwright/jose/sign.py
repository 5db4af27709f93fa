"""Make a compact JWS. The header of a key is encoded once."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec

from sealwright.jose.encoding import LONGEST_TOKEN
from sealwright.jose.errors import TokenTooLong
from sealwright.jose.signatures import make_signature, size_of_signature
from sealwright.keys import SigningKey

_encode = msgspec.json.Encoder().encode
_base64url = base64.urlsafe_b64encode


def sign(key: SigningKey, claims: Mapping[str, Any], *, type: str = "JWT") -> str:  # noqa: A002 - the member is called typ
    """A token with `claims`, signed with `key`: ``header.payload.signature``. One longer than is read raises TokenTooLong."""
    signed = _to_be_signed(key, claims, type)
    signature = make_signature(key.algorithm, key.private_key, signed)
    token = signed + b"." + _base64url(signature).rstrip(b"=")
    _require_readable(len(token))
    return token.decode()


def require_room(key: SigningKey, claims: Mapping[str, Any], *, type: str = "JWT") -> None:  # noqa: A002 - as above
    """Raise TokenTooLong where `sign` would, without signing: for those who use something up before they sign."""
    bits = 8 * size_of_signature(key.algorithm, key.private_key.public_key())
    _require_readable(len(_to_be_signed(key, claims, type)) + 1 + -(-bits // 6))


def _to_be_signed(key: SigningKey, claims: Mapping[str, Any], typ: str) -> bytes:
    return _header(key.algorithm, key.id, typ) + _base64url(_encode(claims)).rstrip(b"=")


def _require_readable(length: int) -> None:
    if length > LONGEST_TOKEN:
        raise TokenTooLong(f"The token would have {length} characters; {LONGEST_TOKEN} are read here.")


@lru_cache(maxsize=4096)
def _header(algorithm: str, key_id: str, typ: str) -> bytes:
    """The encoded header with the dot behind it."""
    return _base64url(_encode({"alg": algorithm, "kid": key_id, "typ": typ})).rstrip(b"=") + b"."
