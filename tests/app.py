"""The whole server in this process, without a socket: what `wiring.build` makes of a fresh database, called through its routes.

A test chooses what comes from outside (time, chance, other servers, how dear a password is); everything else is as in a server.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from msgspec.structs import replace as with_members

from sealwright import ca
from sealwright.app.dependencies import Dependencies, seed
from sealwright.app.schedule import application
from sealwright.app.wiring import Parts, build, build_authority, reached_by
from sealwright.clock import Clock, FixedClock, Instant
from sealwright.db import Database
from sealwright.entropy import Entropy, SeededEntropy
from sealwright.errors import Unavailable
from sealwright.http import Listener, Request, Response
from sealwright.identity.policy import prepare_password
from sealwright.keys import Custody, Sealer
from sealwright.mail import MailLog
from sealwright.openid_providers import TrustedProviders
from sealwright.outbound import Outbound
from sealwright.runtime.application import Application, Dispatcher, InFlight
from sealwright.runtime.http_response import site_of
from sealwright.runtime.logs import open_log
from sealwright.settings import Settings, Urls
from tests.scripted_outbound import ScriptedOutbound

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
    """What someone else does while a password is being verified."""
    before_hash: Callable[[], Awaitable[object]] | None = None
    """What someone else does while a password is being hashed."""

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


def settings(
    *,
    people: str = "https://id.example.org",
    machines: str = "https://id.example.org:9443",
    status: str = "http://id.example.org:8080",
    **changes: Any,
) -> Settings:
    """Those of a server in example.org; the names of the arguments are where its listeners are reached."""
    usual = {
        "name": "Example",
        "domain": DOMAIN,
        "contact": "help@example.org",
        "dns_names": ("id.example.org",),
        "home": Path("/nonexistent"),
    }
    return Settings(**{**usual, "urls": Urls(people, machines, status), **changes})


class App:
    """One node: its parts, and its listeners without sockets."""

    def __init__(self, around: Dependencies, parts: Parts, mail_log: MailLog | None = None) -> None:
        self.around = around
        self.parts = parts
        self._mail_log = mail_log
        self._dispatchers: dict[Listener, Dispatcher] = {}

    @cached_property
    def _serves(self) -> Application:
        """Made for the first call: many tests make none."""
        return application(self.parts)

    def _dispatcher(self, listener: Listener) -> Dispatcher:
        """Made for the first call to this listener: most tests call one."""
        if listener not in self._dispatchers:
            log = open_log("error", self.around.clock)
            self._dispatchers[listener] = Dispatcher(self._serves, listener, InFlight(), log)
        return self._dispatchers[listener]

    async def call(self, request: Request, listener: Listener = Listener.PEOPLE) -> Response:
        """What the listener answers. The path of `request` is as it comes over the wire."""
        url = self.parts.urls[listener]
        dispatcher, scheme, host = self._dispatcher(listener), *url.split("://")
        host = request.headers.get("host", host)
        request.origin = f"{scheme}://{host}"
        exchange = dispatcher.begin(request, request.path, site_of(scheme, host))
        if len(request.body) > exchange.max_body:
            return exchange.too_large()
        return await dispatcher.answer(exchange)

    async def seed(self) -> None:
        """Store what every server has from its first start."""
        await seed(self.around)

    def other_node(self, **changes: Any) -> App:
        """Another node on the same database, with a memory of its own. `changes`: what it has otherwise from outside."""
        around = with_members(self.around, **changes)
        around = with_members(around, custody=type(around.custody)(around.db, around.sealer, around.clock))
        return App(around, build(around, mail_log=self._mail_log), self._mail_log)

    def with_directory(self, directory: ca.AccountLookup, providers: TrustedProviders) -> App:
        """The same node, whose certificate authority asks others about people and their providers."""
        parts = self.parts
        authority = build_authority(
            self.around,
            parts.audit,
            parts.oauth_dependencies.budgets,
            parts.approvals,
            providers=providers,
            directory=directory,
            access_tokens=parts.oauth.certificate_access.verify,
            dns_names=reached_by(self.around.settings, parts.urls),
            provisioners=parts.ca.provisioners,
        )
        return App(self.around, with_members(parts, ca=authority), self._mail_log)


def make_app(
    db: Database,
    chosen: Settings | None = None,
    *,
    clock: Clock | None = None,
    entropy: Entropy | None = None,
    hashing: Any = None,
    outbound: Outbound | None = None,
    custody: type[Custody] = Custody,
    crash_points: ca.CrashPoints = ca.pass_by,
    mail_log: MailLog | None = None,
) -> App:
    """A node on a database with every table. Nothing is stored yet."""
    clock, entropy = clock or FixedClock(START), entropy or SeededEntropy(7)
    sealer = Sealer(bytes(32), entropy)
    around = Dependencies(
        settings=chosen or settings(),
        clock=clock,
        entropy=entropy,
        db=db,
        sealer=sealer,
        custody=custody(db, sealer, clock),
        hashing=hashing or CountingHashing(),
        outbound=outbound or ScriptedOutbound(),
        crash_points=crash_points,
    )
    return App(around, build(around, mail_log=mail_log), mail_log)
