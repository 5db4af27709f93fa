"""Everything of identity on a fresh database, with a clock that stands still and a hash that counts how often it is asked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from sealwright.access import SYSTEM, Actor
from sealwright.clock import FixedClock
from sealwright.db import Database
from sealwright.entropy import SeededEntropy
from sealwright.identity import Account, CompletedSignIn, SecondFactorRequired, SessionKind
from sealwright.identity.totp import code_at, step_at
from sealwright.mail import MailLog
from sealwright.settings import Settings
from tests.app import DOMAIN, OTHER_PASSWORD, PASSWORD, START, CountingHashing, make_app
from tests.databases import sqlite_database

__all__ = ["DOMAIN", "OTHER_PASSWORD", "PASSWORD", "START", "CountingHashing", "World", "sqlite_world"]


class World:
    def __init__(
        self,
        db: Database,
        clock: FixedClock | None = None,
        entropy_seed: int = 7,
        *,
        chosen: Settings | None = None,
        mail_log: MailLog | None = None,
    ) -> None:
        self.db = db
        self.clock = clock or FixedClock(START)
        self.entropy = SeededEntropy(entropy_seed)
        self.hashing = CountingHashing()
        self.app = make_app(db, chosen, clock=self.clock, entropy=self.entropy, hashing=self.hashing, mail_log=mail_log)
        self.audit = self.app.parts.audit
        parts = self.app.parts.identity
        self.directory, self.sessions, self.sign_in = parts.directory, parts.sessions, parts.sign_in
        self.devices = parts.devices
        self.credentials, self.bootstrap, self.reset = parts.credentials, parts.bootstrap, parts.reset_links
        self.invitations, self.passkeys = parts.invitations, parts.passkeys
        self.roles = parts.roles
        self.api_tokens, self.account_policies = parts.api_tokens, parts.account_policies
        self.recycle_bin = parts.recycle_bin

    async def seed(self) -> None:
        await self.app.seed()

    async def person(self, name: str, *groups: str, mails: tuple[str, ...] = (), password: str | None = PASSWORD) -> Account:
        account = await self.directory.create_person(name, name.title(), mails=mails, actor=SYSTEM)
        if password is not None:
            await self.credentials.set_password(name, password, actor=SYSTEM)
        for group in groups:
            await self.directory.add_members(group, [name], actor=SYSTEM)
        return account

    async def try_password(
        self, name: str, password: str = PASSWORD, *, address: str = "192.0.2.1", kind: SessionKind = SessionKind.BROWSER
    ) -> CompletedSignIn | SecondFactorRequired:
        return await self.sign_in.with_password(name, password, kind=kind, address=address, user_agent="test")

    async def signed_in(self, name: str, password: str = PASSWORD, *, kind: SessionKind = SessionKind.BROWSER) -> CompletedSignIn:
        done = await self.try_password(name, password, kind=kind)
        assert isinstance(done, CompletedSignIn)
        return done

    async def actor(self, name: str, *groups: str) -> Actor:
        """A new person in these groups, signed in."""
        await self.person(name, *groups)
        return (await self.signed_in(name)).signed_in.actor

    async def refreshed(self, done: CompletedSignIn) -> Actor | None:
        """The actor behind a session token now."""
        found = await self.sessions.resolve(done.token, "192.0.2.1", kind=done.signed_in.session.kind)
        return None if found is None else found.actor

    async def with_totp(self, name: str) -> bytes:
        """Give someone a second factor; returns its secret. Moves the clock on, so that the code is not the one used here."""
        import base64

        actor = (await self.signed_in(name)).signed_in.actor
        made = await self.credentials.begin_totp(PASSWORD, actor=actor)
        secret = base64.b32decode(made.secret)
        await self.credentials.confirm_totp(self.code(secret), actor=actor)
        self.clock.advance(timedelta(minutes=2))
        return secret

    def code(self, secret: bytes, *, steps: int = 0) -> str:
        return code_at(secret, step_at(self.clock.now()) + steps)

    async def events(self, target: str | None = None) -> list[tuple[str, str, str]]:
        """Event, outcome and details, newest first."""
        return [(row.event, row.outcome, row.details) for row in await self.audit.newest(self.db, target=target)]


@asynccontextmanager
async def sqlite_world() -> AsyncIterator[World]:
    async with sqlite_database() as db:
        world = World(db)
        await world.seed()
        yield world
