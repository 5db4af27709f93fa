"""Challenges: authenticated and expiring, so that nothing is stored until a response with a valid signature uses one up."""

from __future__ import annotations

import hmac
from enum import StrEnum

from sealwright.clock import Clock, Instant, after, before
from sealwright.db import Transaction
from sealwright.entropy import Entropy
from sealwright.identity.passkeys import store
from sealwright.identity.passkeys.relying_party import CEREMONY_LIFETIME
from sealwright.identity.policy import secret_digest
from sealwright.keys import Sealer

_RANDOM, _EXPIRY, _MAC = 16, 8, 32


class Ceremony(StrEnum):
    """What a challenge is for."""

    REGISTRATION = "registration"
    AUTHENTICATION = "authentication"


class Challenges:
    """Random bytes, an expiry and a MAC over both. A page load needs no row in the database."""

    def __init__(self, clock: Clock, entropy: Entropy, sealer: Sealer) -> None:
        self._clock = clock
        self._entropy = entropy
        self._key = sealer.derive("webauthn challenges")

    def generate(self, ceremony: Ceremony, binding: str) -> bytes:
        """A new challenge. `binding`: identifies the browser or session that may use it."""
        expires_at = after(self._clock.now(), CEREMONY_LIFETIME)
        body = self._entropy.bytes(_RANDOM) + int(expires_at).to_bytes(_EXPIRY, "big")
        return body + self._mac(body, ceremony, binding)

    def is_valid(self, challenge: bytes, ceremony: Ceremony, binding: str) -> bool:
        """Whether it was generated here for this ceremony and binding, and has not expired."""
        if len(challenge) != _RANDOM + _EXPIRY + _MAC:
            return False
        body, mac = challenge[:-_MAC], challenge[-_MAC:]
        if not hmac.compare_digest(mac, self._mac(body, ceremony, binding)):
            return False
        expires_at = Instant(int.from_bytes(body[_RANDOM:], "big"))
        return before(expires_at, CEREMONY_LIFETIME) <= self._clock.now() < expires_at

    @staticmethod
    async def consume(tx: Transaction, challenge: bytes) -> bool:
        """Use it up; False if it was used before, on any node."""
        expires_at = Instant(int.from_bytes(challenge[_RANDOM : _RANDOM + _EXPIRY], "big"))
        return await store.use_challenge(tx, secret_digest(challenge.hex()), expires_at)

    def _mac(self, body: bytes, ceremony: Ceremony, binding: str) -> bytes:
        return hmac.digest(self._key, body + f"{ceremony} {binding}".encode("utf-8", "surrogatepass"), "sha256")
