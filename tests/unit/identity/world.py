"""Everything of identity on a fresh database, with a clock that stands still and a hash that counts how often it is asked."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from sealwright.access import SYSTEM, Actor, NamedAuthorities, nothing_named
from sealwright.audit import Audit
from sealwright.ca import AccountCertificates
from sealwright.clock import FixedClock, Instant
from sealwright.db import Database
from sealwright.entropy import SeededEntropy
from sealwright.errors import Unavailable
from sealwright.identity import (
    Account,
    CompletedSignIn,
    SecondFactorRequired,
    SessionKind,
    SessionLifetimes,
    build_identity,
    create_builtin_accounts,
)
from sealwright.identity.policy import prepare_password
from sealwright.identity.totp import code_at, step_at
from sealwright.keys import Sealer
from sealwright.oauth import clients_of_group
from tests.databases import sqlite_database

START = Instant(1_795_000_000_000)
DOMAIN = "example.org"
PASSWORD = "velvet-orbit-canyon-97"
OTHER_PASSWORD = "marble-tangent-owl-31"


@dataclass
class CountingHashing:
    """Answers like a password hash, at once, and remembers what it was asked."""

    version: str = "1"
    verified: list[bytes] = field(default_factory=list)
    hashed: int = 0
    full: bool = False
    meanwhile: Callable[[], Awaitable[object]] | None = None
    """What somebody else does while a password is being verified."""
    before_hash: Callable[[], Awaitable[object]] | None = None
    """What somebody else does while a password is being hashed."""

    @property
    def dummy(self) -> bytes:
        return b"dummy"

    async def hash(self, password: str) -> bytes:
        if self.before_hash is not None:
            await self.before_hash()
        self.hashed += 1
        return self.version.encode() + b":" + _digest(password)

    async def verify(self, stored: bytes, password: str) -> bool:
        if self.full:
            raise Unavailable("Too many passwords are being checked at the moment.", retry_after=1)
        self.verified.append(stored)
        if self.meanwhile is not None:
            await self.meanwhile()
        return stored.partition(b":")[2] == _digest(password)

    def is_outdated(self, stored: bytes) -> bool:
        return not stored.startswith(f"{self.version}:".encode())


def _digest(password: str) -> bytes:
    return hashlib.sha256(prepare_password(password)).hexdigest().encode()


class World:
    def __init__(
        self, db: Database, clock: FixedClock | None = None, entropy_seed: int = 7, named: NamedAuthorities = nothing_named
    ) -> None:
        self.db = db
        self.clock = clock or FixedClock(START)
        self.entropy = SeededEntropy(entropy_seed)
        self.audit = Audit(self.clock)
        self.hashing = CountingHashing()
        parts = build_identity(
            db,
            audit=self.audit,
            clock=self.clock,
            entropy=self.entropy,
            sealer=Sealer(bytes(32), self.entropy),
            hashing=self.hashing,
            rules=SessionLifetimes(),
            server_name="Example",
            domain=DOMAIN,
            named=named,
            clients_of_group=clients_of_group,
            certificates=AccountCertificates(self.audit, self.clock),
        )
        self.directory, self.sessions, self.sign_in = parts.directory, parts.sessions, parts.sign_in
        self.devices = parts.devices
        self.credentials, self.bootstrap, self.reset = parts.credentials, parts.bootstrap, parts.reset_links
        self.invitations = parts.invitations

    async def seed(self) -> None:
        await self.db.write(lambda tx: create_builtin_accounts(tx, self.clock.now()))

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
        """Give somebody a second factor; answers its secret. Moves the clock on, so that the code is not the one used here."""
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
