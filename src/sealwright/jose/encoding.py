"""The strict reading of base64url and JSON that tokens ask for: one text for one value, nothing repeated, nothing huge."""

from __future__ import annotations

import base64
import binascii
from typing import Any

import msgspec

from sealwright import strict_json
from sealwright.jose.errors import TokenMalformed
from sealwright.strict_json import JsonRefused

LONGEST_TOKEN = 32_768
"""Characters of a token that is read, and so of one that is made: half of what a head or a form may have."""
_TO_STANDARD = bytes.maketrans(b"-_+/=", b"+/!!!")  # what is not in the alphabet becomes what no alphabet has
_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_LAST = {0: frozenset(_ALPHABET), 1: frozenset(_ALPHABET[::4]), 2: frozenset(_ALPHABET[::16])}
"""By the padding that is left out: last characters whose unused bits are zero."""


def base64url(raw: bytes) -> str:
    """`raw` as base64url without padding (RFC 7515, section 2)."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode_base64url(text: bytes, part: str) -> bytes:
    """Unpadded, canonical base64url (RFC 7515, section 2); another spelling of the same bytes is refused."""
    padding = -len(text) % 4
    try:
        if text and text[-1] not in _LAST[padding]:
            raise TokenMalformed(f"The {part} of the token is not canonical base64url without padding.")
        return binascii.a2b_base64(text.translate(_TO_STANDARD) + b"=" * padding, strict_mode=True)
    except (binascii.Error, KeyError) as cause:
        raise TokenMalformed(f"The {part} of the token is not base64url.") from cause


def decode_object(raw: bytes, part: str) -> dict[str, Any]:
    """A JSON object in which no object holds a member twice."""
    try:
        value = msgspec.json.decode(raw)
        if not isinstance(value, dict):
            raise TokenMalformed(f"The {part} of the token is not a JSON object.")
        strict_json.require_unique_members(raw)
    except (msgspec.MsgspecError, UnicodeError, JsonRefused, RecursionError) as cause:
        raise TokenMalformed(f"The {part} of the token is not JSON, or holds a member twice.") from cause
    return value


def split(token: str) -> tuple[bytes, bytes, bytes]:
    """Header, payload and signature segments of a compact JWS. The size is checked before anything is cut."""
    if len(token) > LONGEST_TOKEN:
        raise TokenMalformed(f"The token is longer than {LONGEST_TOKEN} characters.")
    if token.count(".") != 2 or not token.isascii():  # noqa: PLR2004 - three segments
        raise TokenMalformed("The text is not a token of three parts.")
    header, payload, signature = token.encode().split(b".")
    return header, payload, signature
