"""Values that a client keeps for the server: sealed into a text that only this server can make, read or change.

Anyone may have such a text made, as often as they like. So it is sealed with a key of its own, never with the one that seals
what is stored, and that key changes every hour: AES-GCM with random nonces is safe for 2^32 texts of one key, which is over a
million a second. All keys come from the key-encryption key, so every node opens what another one sealed, also after a restart.
"""

from __future__ import annotations

import base64
import binascii
from datetime import timedelta
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sealwright.clock import Clock
from sealwright.entropy import Entropy
from sealwright.keys.sealing import Sealer

KEY_LASTS = timedelta(hours=1)

_VERSION = b"\x01"
_HOUR_LENGTH = 4
_NONCE_LENGTH = 12
_HEAD_LENGTH = len(_VERSION) + _HOUR_LENGTH
_SHORTEST = _HEAD_LENGTH + _NONCE_LENGTH + 16
_MOST_KEYS_HELD = 8


class SealedHandles:
    """Handles for one purpose; those of another purpose do not open here."""

    def __init__(self, sealer: Sealer, clock: Clock, entropy: Entropy, *, purpose: str) -> None:
        self._sealer = sealer
        self._clock = clock
        self._entropy = entropy
        self._purpose = purpose
        self._cipher = lru_cache(maxsize=_MOST_KEYS_HELD)(self._make_cipher)

    def seal(self, content: bytes) -> str:
        """A handle that holds `content`. When it ends is the content's business."""
        hour = (self._clock.now() // (KEY_LASTS // timedelta(milliseconds=1))).to_bytes(_HOUR_LENGTH, "big")
        nonce = self._entropy.bytes(_NONCE_LENGTH)
        head = _VERSION + hour
        sealed = head + nonce + self._cipher(hour).encrypt(nonce, content, head)
        return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()

    def open(self, handle: str) -> bytes | None:
        """What a handle holds; None where it was not made here for this purpose, or is not written as it was made."""
        try:
            sealed = base64.b64decode(handle + "=" * (-len(handle) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            return None
        written = base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()
        if written != handle or len(sealed) < _SHORTEST or not sealed.startswith(_VERSION):
            return None  # one request has one handle: a second spelling could be answered a second time
        head, nonce = sealed[:_HEAD_LENGTH], sealed[_HEAD_LENGTH : _HEAD_LENGTH + _NONCE_LENGTH]
        try:
            return self._cipher(head[len(_VERSION) :]).decrypt(nonce, sealed[_HEAD_LENGTH + _NONCE_LENGTH :], head)
        except InvalidTag:
            return None

    def _make_cipher(self, hour: bytes) -> AESGCM:
        return AESGCM(self._sealer.derive(f"{self._purpose} {hour.hex()}"))
