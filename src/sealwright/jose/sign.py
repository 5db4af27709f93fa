"""Make a compact JWS. The header of a key is encoded once."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec

from sealwright.jose.encoding import LONGEST_TOKEN
from sealwright.jose.errors import TokenTooLong
from sealwright.jose.models import TokenSigner
from sealwright.jose.signatures import make_signature, size_of_signature
from sealwright.traces import span

_encode = msgspec.json.Encoder().encode
_base64url = base64.urlsafe_b64encode


def sign(
    key: TokenSigner,
    claims: Mapping[str, Any],
    *,
    type: str = "JWT",  # noqa: A002 - the member is called typ
    header: Mapping[str, Any] | None = None,
) -> str:
    """A token with `claims`, signed with `key`: ``header.payload.signature``. One longer than is read raises TokenTooLong.

    `header` holds further header parameters; a key without an id gives no `kid`.
    """
    signed = _to_be_signed(key, claims, type, header)
    with span("key use") as part:
        part.set_attribute("sealwright.key", key.id)
        part.set_attribute("sealwright.algorithm", key.algorithm)
        signature = make_signature(key.algorithm, key.private_key, signed)
    token = signed + b"." + _base64url(signature).rstrip(b"=")
    _require_readable(len(token))
    return token.decode()


def require_room(key: TokenSigner, claims: Mapping[str, Any], *, type: str = "JWT") -> None:  # noqa: A002 - as above
    """Raise TokenTooLong where `sign` would, without signing: for those who use something up before they sign."""
    bits = 8 * size_of_signature(key.algorithm, key.private_key)
    _require_readable(len(_to_be_signed(key, claims, type)) + 1 + -(-bits // 6))


def _to_be_signed(key: TokenSigner, claims: Mapping[str, Any], typ: str, more: Mapping[str, Any] | None = None) -> bytes:
    header = _encode_header(key.algorithm, key.id, typ, more) if more else _header(key.algorithm, key.id, typ)
    return header + _base64url(_encode(claims)).rstrip(b"=")


def _require_readable(length: int) -> None:
    if length > LONGEST_TOKEN:
        raise TokenTooLong(f"The token would have {length} characters; {LONGEST_TOKEN} are read here.")


@lru_cache(maxsize=4096)
def _header(algorithm: str, key_id: str, typ: str) -> bytes:
    """The encoded header with the dot behind it."""
    return _encode_header(algorithm, key_id, typ, {})


def _encode_header(algorithm: str, key_id: str, typ: str, more: Mapping[str, Any]) -> bytes:
    named = {"kid": key_id} if key_id else {}
    return _base64url(_encode({"alg": algorithm, **named, "typ": typ, **more})).rstrip(b"=") + b"."
