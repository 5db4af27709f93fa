"""The pages with real people, sessions and applications behind them, and a browser without JavaScript in the same process."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar
from urllib.parse import unquote, urlencode, urlsplit

from demo.forms import Browser, Page
from sealwright import identity, oauth, web
from sealwright.access import SYSTEM, nothing_named
from sealwright.audit import Audit
from sealwright.budgets import make_budgets
from sealwright.ca import AccountCertificates, HolderStatus
from sealwright.clock import FixedClock, Instant
from sealwright.db import Database
from sealwright.entropy import SeededEntropy
from sealwright.errors import NotFound, Unavailable
from sealwright.http import Listener, Peer, Request, Response, Route, Wire
from sealwright.identity import Account
from sealwright.keys import Custody, Sealer
from sealwright.settings import BudgetSettings, OAuthSettings
from tests.authorities import Authority, csr
from tests.authorities import build as build_authority
from tests.databases import sqlite_database

ORIGIN = "https://id.example.org"
START = Instant(1_795_342_800_000)
PASSWORD = "velvet-orbit-canyon-97"
OTHER_PASSWORD = "marble-tangent-owl-31"
LOOPBACK = "http://127.0.0.1:45673"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"  # RFC 7636, appendix B
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"

T = TypeVar("T")


@dataclass
class InstantHashing:
    """A password hash that takes no time, for tests of pages. Full when told so."""

    full: bool = False

    @property
    def dummy(self) -> bytes:
        return b"dummy"

    async def hash(self, password: str) -> bytes:
        return hashlib.sha256(password.encode()).digest()

    async def verify(self, stored: bytes, password: str) -> bool:
        if self.full:
            raise Unavailable("Too many passwords are being checked at the moment.", retry_after=2)
        return stored == hashlib.sha256(password.encode()).digest()

    def is_outdated(self, stored: bytes) -> bool:
        return False


@dataclass
class Place:
    """A server without sockets."""

    runner: asyncio.Runner
    db: Database
    clock: FixedClock
    hashing: InstantHashing
    identity: identity.Identity
    oauth: oauth.AuthorizationServer
    audit: Audit
    pages: web.Web
    authority: Authority
    answers: list[Response] = field(default_factory=list)
    """Every answer so far, the redirects among them."""

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def browser(self, address: str = "192.0.2.7") -> InProcessBrowser:
        return InProcessBrowser(self, address)

    # --- people and applications ---

    def person(self, name: str = "alice", *groups: str, mails: tuple[str, ...] | None = None) -> Account:
        async def work() -> Account:
            addresses = (f"{name}@example.org",) if mails is None else mails
            account = await self.identity.directory.create_person(name, name.title(), mails=addresses, actor=SYSTEM)
            await self.identity.credentials.set_password(name, PASSWORD, actor=SYSTEM)
            for group in groups:
                if await self.identity.directory.find_group(group) is None:
                    await self.identity.directory.create_group(group, actor=SYSTEM)
                await self.identity.directory.add_members(group, [name], actor=SYSTEM)
            return account

        return self.run(work())

    def signed_in(self, name: str = "alice") -> InProcessBrowser:
        browser = self.browser()
        page = browser.open(ORIGIN + "/ui/sign-in")
        page = browser.submit(page, "sign-in", username=name, password=PASSWORD)
        assert page.url == f"{ORIGIN}/ui/account", page.text
        return browser

    def application(self, *, scopes: tuple[str, ...] = ("openid", "email")) -> None:
        """A public client with localhost redirects, for members of `users`."""

        async def work() -> None:
            if await self.identity.directory.find_group("users") is None:
                await self.identity.directory.create_group("users", actor=SYSTEM)
            clients = self.oauth.clients
            await clients.create_public("step-ca", "Step-CA", "https://ca.example.org", actor=SYSTEM)
            await clients.change("step-ca", {"localhost_redirects": True}, actor=SYSTEM)
            await clients.add("step-ca", "redirect_uris", "https://ca.example.org/back", actor=SYSTEM)
            await clients.update_scope_map("step-ca", "users", scopes, actor=SYSTEM)

        self.run(work())

    def certificate(self, account: Account) -> str:
        """A certificate of the account that is valid now; its serial number in hexadecimal."""

        async def work() -> str:
            authority = self.authority
            authority.standings[account.id] = HolderStatus(active=True)
            if "kanidm" not in {one.name for one in await authority.parts.provisioners.all()}:
                authority.add_local_provider()
                await authority.add_oidc()
            token = authority.id_token(sub=account.id, email=account.mails[0].address)
            issued = await authority.parts.signing.sign(token, csr())
            return issued.serial.hex()

        return self.run(work())

    def events(self, name: str) -> list[tuple[str, str]]:
        """Audit events of one name, newest first: outcome and target."""
        rows = self.run(self.audit.newest(self.db, at_most=500))
        return [(row.outcome, row.target) for row in rows if row.event == name]

    # --- the server's part ---

    def call(self, request: Request) -> Response:
        """Find the route, run its handler, tell failures as pages."""
        answer = self.run(self._answer(request))
        self.answers.append(answer)
        return answer

    async def _answer(self, request: Request) -> Response:
        for route in (*self.pages.routes, *self.oauth.routes):
            found = _match(route, request.method, request.path)
            if found is not None and route.wire is Wire.PAGE and Listener.PEOPLE in route.listeners:
                request.path_parameters = found
                assert len(request.body) <= route.max_body
                try:
                    return await route.handler(request)
                except Exception as failure:  # noqa: BLE001 - told as the server tells it
                    return self.pages.answer_failure(request, failure)
        return self.pages.answer_failure(request, NotFound(f"There is nothing at {request.path}."))


class InProcessBrowser(Browser):
    """Its requests go straight to the handlers. What is not ours is only arrived at."""

    def __init__(self, place: Place, address: str) -> None:
        self.place = place
        self.address = address
        self.cookies: dict[str, dict[str, str]] = {}
        self.extra: dict[str, str] = {}
        """Headers that every request carries."""

    @property
    def jar(self) -> dict[str, str]:
        return self.cookies.setdefault(ORIGIN, {})

    def post(self, path: str, fields: Mapping[str, str]) -> Page:
        """Send fields as they are, from no page at all."""
        return self._request("POST", ORIGIN + path, urlencode(fields))

    def _exchange(self, method: str, url: str, body: str | None, came_from: str) -> Page:
        parts = urlsplit(url)
        if f"{parts.scheme}://{parts.netloc}" != ORIGIN:
            return Page(url, 200, {}, "<title>elsewhere</title>")
        headers = {"accept": "text/html", "user-agent": FIREFOX}
        if self.jar:
            headers["cookie"] = "; ".join(f"{name}={value}" for name, value in self.jar.items())
        if body is not None:
            headers["content-type"] = "application/x-www-form-urlencoded"
        if came_from:
            headers |= {"origin": ORIGIN, "sec-fetch-site": "same-origin"}
        headers |= self.extra
        peer = Peer(self.address)
        request = Request(
            method, unquote(parts.path), parts.query, headers, (body or "").encode(), peer=peer, origin=ORIGIN, request_id="r-17"
        )
        answer = self.place.call(request)
        for name, value in answer.headers:
            if name == "set-cookie":
                self._keep(value)
        return Page(url, answer.status, dict(answer.headers), answer.body.decode(errors="replace"))

    def _keep(self, header: str) -> None:
        pair, *attributes = (part.strip() for part in header.split(";"))
        name, _, value = pair.partition("=")
        assert {"Secure", "HttpOnly", "Path=/"} <= set(attributes), header
        if "Max-Age=0" in attributes:
            self.jar.pop(name, None)
        else:
            self.jar[name] = value


@contextmanager
def pages_place() -> Iterator[Place]:
    """Everything on a fresh database, with a clock that stands still."""
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        try:
            yield runner.run(_build(runner, stack))
        finally:
            runner.run(stack.aclose())


async def _build(runner: asyncio.Runner, stack: AsyncExitStack) -> Place:
    db = await stack.enter_async_context(sqlite_database())
    clock, entropy, hashing = FixedClock(START), SeededEntropy(7), InstantHashing()
    audit, sealer = Audit(clock), Sealer(bytes(range(32)), entropy)
    people = identity.build_identity(
        db,
        audit=audit,
        clock=clock,
        entropy=entropy,
        sealer=sealer,
        hashing=hashing,
        rules=identity.SessionLifetimes(),
        server_name="Example",
        domain="example.org",
        named=nothing_named,
        clients_of_group=oauth.clients_of_group,
        certificates=AccountCertificates(audit, clock),
    )
    await db.write(lambda tx: identity.create_builtin_accounts(tx, clock.now()))
    oauth_dependencies = oauth.OAuthDependencies(
        db, clock, entropy, audit, ORIGIN, OAuthSettings(), make_budgets(BudgetSettings(), clock)
    )
    custody = Custody(db, sealer, clock)
    applications = oauth.build_authorization_server(
        oauth_dependencies,
        directory=people.directory,
        sessions=people.sessions,
        custody=custody,
        sealer=sealer,
        named=nothing_named,
    )
    provisioner_files = Path(stack.enter_context(TemporaryDirectory()))
    authority = await build_authority(db, provisioner_files, clock=clock)
    dependencies = web.WebDependencies(
        sign_in=people.sign_in,
        sessions=people.sessions,
        devices=people.devices,
        credentials=people.credentials,
        directory=people.directory,
        bootstrap=people.bootstrap,
        reset_links=people.reset_links,
        invitations=people.invitations,
        authorization=applications.authorization,
        consents=applications.consents,
        inventory=authority.parts.inventory,
        revocation=authority.parts.revocation,
        issuers=authority.parts.issuers,
        machines_url="https://id.example.org:9443",
    )
    pages = web.assemble(web.Site("Example", ORIGIN), dependencies, clock=clock, entropy=entropy)
    return Place(runner, db, clock, hashing, people, applications, audit, pages, authority)


def authorization_address(**changes: str) -> str:
    """What the stock `step` client opens."""
    request = {
        "client_id": "step-ca",
        "redirect_uri": LOOPBACK,
        "response_type": "code",
        "scope": "openid email",
        "state": "Q0fVkq3mJ4r8sT1u",
        "nonce": "5f" * 32,
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    } | changes
    return f"{ORIGIN}/ui/oauth2?{urlencode(request)}"


def _match(route: Route, method: str, path: str) -> dict[str, str] | None:
    pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(route.path))
    found = re.fullmatch(pattern, path)
    return found.groupdict() if found is not None and route.method == method else None
