"""`sealwright recover-account`: works with the people and the database alone, while the server runs or while it does not."""

from __future__ import annotations

import asyncio
from pathlib import Path

from sealwright.access import nothing_named
from sealwright.app.dependencies import assemble_people, opened, seed
from sealwright.app.home import Home
from sealwright.audit import Audit
from sealwright.clock import Instant
from sealwright.db import Database, Transaction
from sealwright.settings import Settings


async def _no_clients(_reader: Database | Transaction, _group_id: str) -> tuple[str, ...]:
    """Nothing here deletes a group."""
    return ()


async def _tell_applications(tx: Transaction, session_id: str, account_id: str, now: Instant) -> None:
    from sealwright.oauth import queue_logout_tokens  # noqa: PLC0415 - only where a session ends

    await queue_logout_tokens(tx, session_id, account_id, now)


def recover_account(home: Path, name: str, password: str | None, *, end_certificates: bool) -> tuple[str, int]:
    """Set the password of an account, made up where none is given; returns it, and how many certificates were ended."""

    async def recover(settings: Settings) -> tuple[str, int]:
        async with opened(settings) as around:
            await seed(around)
            people = assemble_people(
                around, Audit(around.clock), nothing_named, _no_clients, _tell_applications, origin=settings.urls.people
            )
            recovered = await people.credentials.recover_account(name, password, end_certificates=end_certificates)
            return recovered.password or password or "", recovered.reset.certificates_ended

    return asyncio.run(recover(Home(home).settings()))
