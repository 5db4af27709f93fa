"""A credential reset and the certificates that it ends. `ca` implements the Protocol; the wiring passes it in."""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct

from sealwright.access import Actor
from sealwright.db import Database, Transaction


class PersonalCertificates(Protocol):
    """Certificates issued to people who signed in here."""

    async def count(self, reader: Database | Transaction, account_id: str) -> int:
        """Number of the account's valid certificates."""
        ...

    async def revoke(self, tx: Transaction, account_id: str, actor: Actor) -> int:
        """Revoke all of them as compromised, and record each; returns how many."""
        ...


class CredentialReset(Struct, frozen=True):
    """What a credential reset ended."""

    sessions_ended: int
    certificates_ended: int
    certificates_kept: int
    """Those that stay valid, because the reset was asked to keep them."""


class SecondFactorRemoval(Struct, frozen=True):
    """What was removed of an account whose device was lost, and what ended with it."""

    second_factors_removed: int
    passkeys_removed: int
    sessions_ended: int
    api_keys_ended: int
    certificates_ended: int
    certificates_kept: int
