"""The pages with real people, sessions and applications behind them, and a browser without JavaScript in the same process."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit

from demo.forms import Browser, Page
from sealwright.access import ALL_PERSONS, SYSTEM
from sealwright.app.routes import serve_all
from sealwright.clock import FixedClock, Instant
from sealwright.db import Database
from sealwright.http import Peer, Request, Response, Route, Wire
from sealwright.identity import CSRF_COOKIE, Account
from tests.app import OTHER_PASSWORD, PASSWORD, CountingHashing, make_app, settings
from tests.authorities import csr
from tests.databases import sqlite_database
from tests.oauth_world import World

__all__ = ["OTHER_PASSWORD", "PASSWORD", "InProcessBrowser", "Place", "authorization_address", "pages_place"]

ORIGIN = "https://id.example.org"
START = Instant(1_795_342_800_000)
LOOPBACK = "http://127.0.0.1:45673"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"  # RFC 7636, appendix B
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"

T = TypeVar("T")


class Place:
    """A server without sockets."""

    def __init__(self, runner: asyncio.Runner, db: Database, **changes: Any) -> None:
        self.runner = runner
        self.db = db
        self.clock = FixedClock(START)
        self.hashing = CountingHashing()
        self.app = make_app(db, settings(people=ORIGIN, contact="", **changes), clock=self.clock, hashing=self.hashing)
        self.identity = self.app.parts.identity
        self.oauth = self.app.parts.oauth
        self.outbound: Any = self.app.around.outbound
        self.audit = self.app.parts.audit
        self.nonces = 0
        self.answers: list[Response] = []
        """Every answer so far, the redirects among them."""

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def browser(self, address: str = "192.0.2.7") -> InProcessBrowser:
        return InProcessBrowser(self, address)

    @property
    def page_routes(self) -> list[Route]:
        """The routes of the pages; those of the authorization server lead to pages only."""
        others = self.oauth.routes
        return [route for route in serve_all(self.app.parts).routes if route.wire is Wire.PAGE and route not in others]

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
        return self.run(self._certificate(account))

    async def _certificate(self, account: Account) -> str:
        authority, world = self.app.parts.ca, World(self.app)
        client = "certificates"
        if client not in {one.name for one in await authority.provisioners.all()}:
            await self.app.parts.oauth.clients.create_public(client, "Certificates", LOOPBACK, actor=SYSTEM)
            await self.app.parts.oauth.clients.change(client, {"localhost_redirects": True}, actor=SYSTEM)
            await self.app.parts.oauth.clients.update_scope_map(client, ALL_PERSONS, ("openid", "email"), actor=SYSTEM)
            endpoint = f"{ORIGIN}/oauth2/openid/{client}"
            definition = {"type": "OIDC", "name": client, "clientID": client, "configurationEndpoint": endpoint}
            await authority.provisioners.add(definition, SYSTEM)
        self.nonces += 1  # the clock stands still: without it, one token would be like the other
        tokens = await world.tokens(await world.sign_in(account), client_id=client, nonce=f"{self.nonces:064x}")
        issued = await authority.signing.sign(tokens["id_token"], csr())
        return issued.serial.hex()

    def events(self, name: str) -> list[tuple[str, str]]:
        """Audit events of one name, newest first: outcome and target."""
        rows = self.run(self.audit.newest(self.db, at_most=500))
        return [(row.outcome, row.target) for row in rows if row.event == name]

    # --- the server's part ---

    def call(self, request: Request) -> Response:
        """What the listener for people answers."""
        answer = self.run(self.app.call(request))
        self.answers.append(answer)
        return answer


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
        request = Request(method, parts.path, parts.query, headers, (body or "").encode(), peer=peer, request_id="r-17")
        answer = self.place.call(request)
        for name, value in answer.headers:
            if name == "set-cookie":
                self._keep(value)
        return Page(url, answer.status, dict(answer.headers), answer.body.decode(errors="replace"))

    def _keep(self, header: str) -> None:
        pair, *attributes = (part.strip() for part in header.split(";"))
        name, _, value = pair.partition("=")
        hidden = set() if name == CSRF_COOKIE else {"HttpOnly"}  # a page reads that one, to call the API
        assert {"Secure", "Path=/", *hidden} <= set(attributes), header
        if "Max-Age=0" in attributes:
            self.jar.pop(name, None)
        else:
            self.jar[name] = value


@contextmanager
def pages_place(**changes: Any) -> Iterator[Place]:
    """Everything on a fresh database, with a clock that stands still. `changes`: of the settings."""
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        try:
            place = Place(runner, runner.run(stack.enter_async_context(sqlite_database())), **changes)
            runner.run(place.app.seed())
            runner.run(place.app.parts.ca.issuers.create_hierarchy("Example", SYSTEM))
            yield place
        finally:
            runner.run(stack.aclose())


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
