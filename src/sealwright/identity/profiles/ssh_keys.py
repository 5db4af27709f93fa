"""SSH public keys as people paste them. Pure."""

from __future__ import annotations

import base64
import binascii
import re

from msgspec import Struct

from sealwright.clock import Instant
from sealwright.errors import InvalidInput

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
    if not _is_whole(blob, kind):
        raise _malformed(text, "what is encoded is not a whole key of this type")
    return f"{kind} {encoded}"


def _is_whole(blob: bytes, kind: str) -> bool:
    """Whether the fields of the key fill it to the end (RFC 4253, section 6.6), and the first is its type."""
    fields: list[bytes] = []
    position = 0
    while position < len(blob):
        length = int.from_bytes(blob[position : position + 4])
        field = blob[position + 4 : position + 4 + length]
        if len(field) != length or position + 4 > len(blob):
            return False
        fields.append(field)
        position += 4 + length
    return len(fields) >= 2 and fields[0] == kind.encode() and all(fields)  # noqa: PLR2004 - type and key


def _malformed(text: str, why: str) -> InvalidInput:
    return InvalidInput(
        f"{text[:60]!r} is not an SSH public key that can be used.",
        reasons=(why,),
        hint="Give the line of a file such as ~/.ssh/id_ed25519.pub.",
    )
