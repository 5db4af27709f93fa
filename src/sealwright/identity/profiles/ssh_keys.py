"""SSH public keys as people paste them. Pure. What is too weak in a certificate is too weak here."""

from __future__ import annotations

import base64
import binascii
import re

from msgspec import Struct

from sealwright.clock import Instant
from sealwright.errors import InvalidInput
from sealwright.jose import JwkRefused, base64url, public_key_from_jwk

MAX_KEYS = 32
LONGEST_KEY = 8_192
KEY_TYPES = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "ssh-rsa",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
)
_CURVES = {"ecdsa-sha2-nistp256": "P-256", "ecdsa-sha2-nistp384": "P-384", "ecdsa-sha2-nistp521": "P-521"}
_UNCOMPRESSED = 4
_TAG = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}")


class SshKey(Struct, frozen=True):
    """A public key of a person."""

    tag: str
    """What the person calls it."""
    public_key: str
    """Type and key in base64, as in an `authorized_keys` file, without a comment."""
    created_at: Instant


def check_tag(tag: str) -> str:
    """What someone calls one of their keys, or InvalidInput."""
    if not _TAG.fullmatch(tag):
        raise InvalidInput(
            f"{tag[:80]!r} cannot be the tag of a key.",
            hint="Use 1 to 64 of A-Z, a-z, 0-9, '_', '.', '@' and '-', beginning with a letter or digit.",
            pointer="/tag",
        )
    return tag


def check_public_key(text: str) -> str:
    """A public key without its comment, or InvalidInput. Options and private keys are refused."""
    words = text.strip().split(None, 2)
    if "PRIVATE KEY" in text:
        raise InvalidInput(
            "This is a private key.",
            reasons=("only its owner may have a private key; consider it known to others now",),
            hint="Make a new pair with ssh-keygen, and give the line of the file that ends in .pub.",
            pointer="/public_key",
        )
    if len(words) < 2 or len(text) > LONGEST_KEY or "\n" in text.strip():  # noqa: PLR2004 - type and key
        raise _malformed(text, "a public key is one line: its type, the key in base64, and perhaps a comment")
    kind, encoded = words[0], words[1]
    if kind not in KEY_TYPES:
        raise _malformed(text, f"its type is none of {', '.join(KEY_TYPES)}")
    try:
        blob = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as cause:
        raise _malformed(text, "the key is not base64") from cause
    _require_strong(text, kind, _fields_of(blob))
    return f"{kind} {encoded}"


def _fields_of(blob: bytes) -> list[bytes]:
    """The fields of a key, which fill it to the end (RFC 4253, section 6.6); none where they do not."""
    fields: list[bytes] = []
    position = 0
    while position < len(blob):
        length = int.from_bytes(blob[position : position + 4])
        field = blob[position + 4 : position + 4 + length]
        if len(field) != length or position + 4 > len(blob):
            return []
        fields.append(field)
        position += 4 + length
    return fields


def _require_strong(text: str, kind: str, fields: list[bytes]) -> None:
    """Raise InvalidInput unless the fields are a whole key of this type that is as strong as keys have to be elsewhere here."""
    hardware = kind.startswith("sk-")  # its last field is the application for which the key signs (PROTOCOL.u2f)
    parts = fields[1:-1] if hardware else fields[1:]
    if not fields or fields[0] != kind.encode() or not all(fields):
        raise _malformed(text, "what is encoded is not a whole key of this type")
    try:
        public_key_from_jwk(_jwk_of(kind.removeprefix("sk-").removesuffix("@openssh.com"), parts))
    except JwkRefused as cause:
        raise _malformed(text, cause.detail) from cause
    except ValueError as cause:
        raise _malformed(text, str(cause)) from cause


def _jwk_of(kind: str, parts: list[bytes]) -> dict[str, str]:
    """The members of a JSON Web Key from the fields behind the type; raises ValueError."""
    if kind == "ssh-ed25519" and len(parts) == 1:
        return {"kty": "OKP", "crv": "Ed25519", "x": base64url(parts[0])}
    if kind == "ssh-rsa" and len(parts) == 2:  # noqa: PLR2004 - e and n
        exponent, modulus = (_positive(part) for part in parts)
        return {"kty": "RSA", "e": base64url(exponent), "n": base64url(modulus)}
    if kind.startswith("ecdsa-sha2-") and len(parts) == 2:  # noqa: PLR2004 - curve and point
        curve, point = parts
        if curve.decode(errors="replace") != kind.removeprefix("ecdsa-sha2-"):
            raise ValueError("the key names another curve than its type")
        size = (len(point) - 1) // 2
        if point[0] != _UNCOMPRESSED or len(point) != 1 + 2 * size:
            raise ValueError("the point of the key is not whole")
        return {"kty": "EC", "crv": _CURVES[kind], "x": base64url(point[1 : 1 + size]), "y": base64url(point[1 + size :])}
    raise ValueError("what is encoded is not a whole key of this type")


def _positive(number: bytes) -> bytes:
    """A number (RFC 4251, section 5) without the zero that says that it is not negative."""
    if number[0] & 0x80:
        raise ValueError("a number of the key is negative")
    return number.lstrip(b"\x00")


def _malformed(text: str, why: str) -> InvalidInput:
    return InvalidInput(
        f"{text[:60]!r} is not an SSH public key that can be used.",
        reasons=(why,),
        hint="Give the line of a file such as ~/.ssh/id_ed25519.pub.",
        pointer="/public_key",
    )
