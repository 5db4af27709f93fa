"""`sealwright recover-account` and `break-glass`: work with people and database alone, whether the server runs or not."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from sealwright import identity
from sealwright.access import nothing_named
from sealwright.app.dependencies import build_people, opened, seed
from sealwright.app.home import Home
from sealwright.audit import Audit
from sealwright.clock import Instant
from sealwright.db import Database, Transaction


async def _no_clients(_reader: Database | Transaction, _group_id: str) -> tuple[str, ...]:
    """Nothing here deletes a group."""
    return ()


async def _tell_applications(tx: Transaction, session_id: str, account_id: str, now: Instant) -> None:
    from sealwright.oauth import queue_logout_tokens  # noqa: PLC0415 - only where a session ends

    await queue_logout_tokens(tx, session_id, account_id, now)


T = TypeVar("T")


def _with_people(home: Path, work: Callable[[identity.Identity], Awaitable[T]]) -> T:
    """Do something with the people of a server and its database alone."""
    settings = Home(home).settings()

    async def run() -> T:
        async with opened(settings) as around:
            await seed(around)
            people = build_people(
                around, Audit(around.clock), nothing_named, _no_clients, _tell_applications, origin=settings.urls.people
            )
            return await work(people)

    return asyncio.run(run())


def recover_account(home: Path, name: str, password: str | None, *, end_certificates: bool) -> tuple[str, int]:
    """Set the password of an account, made up where none is given; returns it, and how many certificates were ended."""

    async def recover(people: identity.Identity) -> tuple[str, int]:
        recovered = await people.credentials.recover_account(name, password, end_certificates=end_certificates)
        return recovered.password or password or "", recovered.reset.certificates_ended

    return _with_people(home, recover)


def set_break_glass_password(home: Path, password: str | None) -> str:
    """Set the break-glass password, made up where none is given; returns it."""
    return _with_people(home, lambda people: people.break_glass.set_password(password))


def remove_break_glass_password(home: Path) -> bool:
    """Remove the break-glass password; false where there was none."""
    return _with_people(home, lambda people: people.break_glass.remove())
