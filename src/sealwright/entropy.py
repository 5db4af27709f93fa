"""The only place that draws random bytes."""

from __future__ import annotations

import base64
import os
import random
from typing import Protocol


class Entropy(Protocol):
    """A source of unpredictable bytes."""

    def bytes(self, length: int) -> bytes:
        """`length` random bytes."""
        ...


class SystemEntropy:
    """The operating system's generator."""

    def bytes(self, length: int) -> bytes:
        return os.urandom(length)


class SeededEntropy:
    """A repeatable sequence, so that a test can predict identifiers. Never used by the wiring of a server."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - repeatable on purpose

    def bytes(self, length: int) -> bytes:
        return self._random.randbytes(length)


def token(entropy: Entropy, length: int = 32) -> str:
    """`length` random bytes as unpadded base64url text: for codes, sessions, links and secrets."""
    return base64.urlsafe_b64encode(entropy.bytes(length)).rstrip(b"=").decode()


def uuid4(entropy: Entropy) -> str:
    """A random UUID (RFC 9562, section 5.4) in its usual text form."""
    raw = bytearray(entropy.bytes(16))
    raw[6] = (raw[6] & 0x0F) | 0x40
    raw[8] = (raw[8] & 0x3F) | 0x80
    text = raw.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
