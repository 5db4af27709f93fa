"""Nonces of this server for DPoP proofs (RFC 9449, section 8): derived, so that every node knows them and none is stored."""

from __future__ import annotations

import hashlib
import hmac
from datetime import timedelta

from sealwright.clock import Clock
from sealwright.jose import base64url
from sealwright.keys import Sealer

CHANGES = timedelta(minutes=2)
"""A nonce is valid until the one after the next begins."""
_MILLISECOND = timedelta(milliseconds=1)


class Nonces:
    """The same nonces for every client: they refuse proofs that were made long in advance."""

    def __init__(self, sealer: Sealer, clock: Clock) -> None:
        self._key = sealer.derive("DPoP nonces")
        self._clock = clock

    def current(self) -> str:
        """The nonce that is sent to clients."""
        return self._of(self._slot())

    def is_good(self, nonce: str) -> bool:
        """Whether it is the current one or the one before."""
        slot = self._slot()
        good = (self._of(slot), self._of(slot - 1))
        return any(hmac.compare_digest(each.encode(), nonce.encode("utf-8", "replace")) for each in good)

    def _slot(self) -> int:
        return self._clock.now() // (CHANGES // _MILLISECOND)

    def _of(self, slot: int) -> str:
        return base64url(hmac.digest(self._key, slot.to_bytes(8, "big"), hashlib.sha256)[:16])
