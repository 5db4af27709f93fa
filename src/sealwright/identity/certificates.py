"""What a reset of credentials asks of whoever issues certificates to people. `ca` does it; the wiring passes it."""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct

from sealwright.access import Actor
from sealwright.db import Database, Transaction


class CertificatesOfPeople(Protocol):
    """Certificates that people got by signing in here."""

    async def count(self, reader: Database | Transaction, account_id: str) -> int:
        """How many of the account hold now."""
        ...

    async def revoke(self, tx: Transaction, account_id: str, actor: Actor) -> int:
        """Revoke all of them as compromised, and record each; returns how many."""
        ...


class CredentialReset(Struct, frozen=True):
    """What a reset of somebody's credentials ended."""

    sessions_ended: int
    certificates_ended: int
    certificates_kept: int
    """Those that hold still, because whoever made the reset wanted it so."""
