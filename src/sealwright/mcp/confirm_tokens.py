"""What is asked before a change: the first call says what would happen, and only a second one with its token does it."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any, Protocol

import msgspec

from sealwright.clock import Clock, Instant, after
from sealwright.entropy import Entropy, token

CONFIRMED_WITHIN = timedelta(minutes=5)
"""For how long a confirm token can be used."""
MOST_AT_ONCE = 100
"""Open confirm tokens of one assistant, or of one account; the oldest is forgotten for another."""


class ConfirmTokens(Protocol):
    """Confirm tokens: each is for one call with the same arguments, and can be used once."""

    async def issue(self, call_digest: str) -> str:
        """A new token for a call."""
        ...

    async def use(self, confirm: str, call_digest: str) -> bool:
        """Use a token up; whether it was for this call and still valid."""
        ...


def digest_of_call(tool: str, arguments: dict[str, Any]) -> str:
    """What a confirm token is for: a tool and its arguments, apart from the token itself."""
    given = {name: value for name, value in arguments.items() if name != "confirm"}
    return hashlib.sha256(msgspec.json.encode([tool, given], order="deterministic")).hexdigest()


class ConfirmTokensInMemory:
    """Those of one process that serves one assistant. The oldest is forgotten when there are too many."""

    def __init__(self, clock: Clock, entropy: Entropy) -> None:
        self._clock = clock
        self._entropy = entropy
        self._open: dict[str, tuple[str, Instant]] = {}

    async def issue(self, call_digest: str) -> str:
        """A new token for a call."""
        confirm = token(self._entropy)
        if len(self._open) >= MOST_AT_ONCE:
            del self._open[next(iter(self._open))]
        self._open[confirm] = (call_digest, after(self._clock.now(), CONFIRMED_WITHIN))
        return confirm

    async def use(self, confirm: str, call_digest: str) -> bool:
        """Use a token up; whether it was for this call and still valid."""
        issued = self._open.pop(confirm, None)
        return issued is not None and issued[0] == call_digest and self._clock.now() < issued[1]
