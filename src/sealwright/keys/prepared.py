"""Custody within a transaction, which cannot wait for an RSA key: those were generated before it began."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from sealwright.clock import Clock
from sealwright.db import Database
from sealwright.jose import PrivateKey
from sealwright.keys import software
from sealwright.keys.custody import Custody
from sealwright.keys.models import NewKey, Purpose
from sealwright.keys.sealing import Sealer

T = TypeVar("T")

_SLOW = "RS256"
_QUICK = "ES256"


class PreparedCustody(Custody):
    """Takes RSA keys out of a supply.

    Where the supply is too small it goes on with P-256 keys in their place, to find out how many keys are needed: the
    transaction must be rolled back unless `missing` is 0.
    """

    def __init__(self, db: Database, sealer: Sealer, clock: Clock, supply: list[PrivateKey]) -> None:
        super().__init__(db, sealer, clock)
        self._supply = list(supply)
        self.missing = 0

    async def beside_the_loop(self, make: Callable[..., T], *given: Any) -> T:
        return make(*given)

    async def _notice_changes(self) -> None:
        """What the transaction changed is read anew each time; others change nothing in it."""
        self.forget()

    def generate(self, purpose: Purpose, owner: str, algorithm: str) -> NewKey:
        if algorithm != _SLOW:
            return super().generate(purpose, owner, algorithm)
        if self._supply:
            return self._adopt(purpose, owner, self._supply.pop(), algorithm)
        self.missing += 1
        return self._adopt(purpose, owner, software.generate(_QUICK), algorithm)


async def new_rsa_keys(number: int) -> list[PrivateKey]:
    """Generate this many RSA keys, on a thread."""
    return [await asyncio.to_thread(software.generate, _SLOW) for _ in range(number)]
