"""An authorization server with real people, sessions and keys around it, called through its routes."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import msgspec

from sealwright.access import SYSTEM, nothing_named
from sealwright.audit import Audit
from sealwright.budgets import make_budgets
from sealwright.clock import FixedClock, Instant
from sealwright.db import Database
from sealwright.entropy import SeededEntropy
from sealwright.errors import Failure
from sealwright.http import Peer, Request, Response, Route, Wire
from sealwright.identity import Account, Directory, SessionKind, SessionLifetimes, Sessions, SignedIn
from sealwright.identity.directory.authorized_changes import AuthorizedChanges
from sealwright.jose import SignedClaims, UnverifiedToken, keys_of_jwks, verify
from sealwright.keys import Custody, Sealer
from sealwright.oauth import (
    SESSION_COOKIE,
    AuthorizationServer,
    OAuthDependencies,
    answer_failure,
    build_authorization_server,
    clients_of_group,
)
from sealwright.settings import BudgetSettings, OAuthSettings
from tests.databases import OpenDatabase, sqlite_database

ORIGIN = "https://id.example.org"
START = Instant(1_790_000_000_000)
VERIFIER = "n8yG3vK2h0QfUOZ1cXbLs7TjWmRpDqEaHiY5x6NkV4t"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
LOOPBACK = "http://127.0.0.1:45673"
WEB = "https://ca.example.org"
"""Where a public client is answered over https: its landing page. Only there is a consent remembered for it."""
CALLBACK = "https://wiki.example.org/callback"


@dataclass(slots=True)
class World:
    """Everything that a test may want to look at or to move."""

    db: Database
    clock: FixedClock
    audit: Audit
    dependencies: OAuthDependencies
    custody: Custody
    directory: Directory
    sessions: Sessions
    sealer: Sealer
    server: AuthorizationServer

    def other_node(self) -> World:
        """The same database, seen through a server of its own with its own memory."""
        custody = Custody(self.db, self.sealer, self.clock)
        server = build_authorization_server(
            self.dependencies,
            directory=self.directory,
            sessions=self.sessions,
            custody=custody,
            sealer=self.sealer,
            named=nothing_named,
        )
        return replace(self, custody=custody, server=server)

    # --- people and clients ---

    async def person(self, name: str, *, groups: tuple[str, ...] = (), mails: tuple[str, ...] | None = None) -> Account:
        addresses = (f"{name}@example.org",) if mails is None else mails
        account = await self.directory.create_person(name, name.capitalize(), mails=addresses, actor=SYSTEM)
        for group in groups:
            if await self.directory.find_group(group) is None:
                await self.directory.create_group(group, actor=SYSTEM)
            await self.directory.add_members(group, [name], actor=SYSTEM)
        return account

    async def sign_in(self, account: Account) -> str:
        """A browser session; answers its cookie."""

        async def body(tx: Any) -> str:
            token, _ = await self.sessions.begin(
                tx, account, SessionKind.BROWSER, ("pwd",), address="192.0.2.7", user_agent="a test"
            )
            return token

        return await self.db.write(body)

    async def signed_in(self, cookie: str) -> SignedIn:
        found = await self.sessions.resolve(cookie, "192.0.2.7", kind=SessionKind.BROWSER)
        assert found is not None
        return found

    async def public_client(self, name: str = "step-ca", *, scopes: tuple[str, ...] = ("openid", "email")) -> str:
        """A public client with localhost redirects, for members of `users`. Answers its name."""
        clients = self.server.clients
        await clients.create_public(name, "Step-CA", "https://ca.example.org", actor=SYSTEM)
        await clients.change(name, {"localhost_redirects": True}, actor=SYSTEM)
        await clients.update_scope_map(name, "users", scopes, actor=SYSTEM)
        return name

    async def confidential_client(
        self, name: str = "wiki", *, scopes: tuple[str, ...] = ("openid", "email", "profile", "groups")
    ) -> tuple[str, str]:
        """A confidential client with one redirect URI, for members of `users`. Answers its name and secret."""
        clients = self.server.clients
        await clients.create_confidential(name, "The Wiki", "https://wiki.example.org", actor=SYSTEM)
        await clients.add(name, "redirect_uris", CALLBACK, actor=SYSTEM)
        await clients.update_scope_map(name, "users", scopes, actor=SYSTEM)
        secret = await clients.show_basic_secret(name, actor=SYSTEM)
        assert secret is not None
        return name, secret

    # --- calls ---

    async def call(
        self,
        method: str,
        target: str,
        *,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        address: str = "192.0.2.7",
    ) -> Response:
        """Call a route as the server would, and tell failures in the words of its wire."""
        path, _, query = target.partition("?")
        for route in self.server.routes:
            parameters = _match(route, method, path)
            if parameters is not None:
                request = Request(method, path, query, dict(headers or {}), body, parameters, Peer(address), ORIGIN, "r1")
                return await _answer(route, request)
        raise LookupError(f"no route for {method} {path}")

    async def authorize(self, cookie: str | None = None, **parameters: str) -> Response:
        """An authorization request in a browser."""
        return await self.call("GET", f"/oauth2/authorise?{urlencode(parameters)}", headers=_cookie(cookie))

    async def post(
        self, path: str, form: Mapping[str, str], headers: Mapping[str, str] | None = None, *, address: str = "192.0.2.7"
    ) -> Response:
        """A form."""
        content_type = {"content-type": "application/x-www-form-urlencoded"}
        return await self.call(
            "POST", path, body=urlencode(form).encode(), headers=content_type | dict(headers or {}), address=address
        )

    async def token(self, headers: Mapping[str, str] | None = None, *, address: str = "192.0.2.7", **form: str) -> Response:
        """A token request."""
        return await self.post("/oauth2/token", form, headers, address=address)

    async def code(self, cookie: str, **parameters: str) -> str:
        """A code, with the consent given where it is asked for."""
        answer = await self.authorize(cookie, **parameters)
        if location(answer).startswith("/ui/oauth2/consent?"):
            done = await self.server.authorization.allow(handle_in(answer), await self.signed_in(cookie))
            return answer_parameters(done.location)["code"]
        return answer_parameters(location(answer))["code"]

    async def tokens(self, cookie: str, **parameters: str) -> dict[str, Any]:
        """The tokens of a public client's whole flow."""
        request = public_request() | parameters
        code = await self.code(cookie, **request)
        answer = await self.post("/oauth2/token", public_redemption(code, redirect_uri=request["redirect_uri"]))
        assert answer.status == 200, answer.body
        return members(answer)

    async def verified(self, token: str, client: str) -> SignedClaims:
        """A token, verified with the client's published key set."""
        keys = keys_of_jwks((await self.call("GET", f"/oauth2/openid/{client}/public_key.jwk")).body)
        header = UnverifiedToken(token).header
        return verify(token, keys, typ=header["typ"], algorithms=frozenset({header["alg"]}))

    async def events(self, *names: str) -> list[tuple[str, str, dict[str, Any]]]:
        """Audit events of these kinds, oldest first: event, outcome, details."""
        rows = await self.audit.newest(self.db, at_most=500)
        chosen = [(row.event, row.outcome, msgspec.json.decode(row.details)) for row in rows if row.event in names]
        return chosen[::-1]


@asynccontextmanager
async def oauth_world(
    open_database: OpenDatabase = sqlite_database, *, budgets: BudgetSettings | None = None, **lifetimes: timedelta
) -> AsyncIterator[World]:
    """A world on a fresh database, where time stands still until it is moved."""
    async with open_database() as db:
        clock, entropy = FixedClock(START), SeededEntropy(7)
        audit = Audit(clock)
        sealer = Sealer(bytes(range(32)), entropy)
        custody = Custody(db, sealer, clock)
        sessions = Sessions(db, audit, clock, entropy, SessionLifetimes())
        directory = Directory(
            db,
            audit,
            clock,
            entropy,
            sessions,
            changes=AuthorizedChanges(db, audit, nothing_named),
            clients_of_group=clients_of_group,
            domain="example.org",
        )
        await directory.create_group("users", actor=SYSTEM)
        dependencies = OAuthDependencies(
            db, clock, entropy, audit, ORIGIN, OAuthSettings(**lifetimes), make_budgets(budgets or BudgetSettings(), clock)
        )
        server = build_authorization_server(
            dependencies, directory=directory, sessions=sessions, custody=custody, sealer=sealer, named=nothing_named
        )
        yield World(db, clock, audit, dependencies, custody, directory, sessions, sealer, server)


def public_request(**changes: str) -> dict[str, str]:
    """What the stock `step` client sends."""
    return {
        "client_id": "step-ca",
        "redirect_uri": LOOPBACK,
        "response_type": "code",
        "scope": "openid email",
        "state": "Q0fVkq3mJ4r8sT1u",
        "nonce": "5f" * 32,
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    } | changes


def confidential_request(**changes: str) -> dict[str, str]:
    """What a web application sends."""
    return public_request(client_id="wiki", redirect_uri=CALLBACK) | changes


def public_redemption(code: str, **changes: str) -> dict[str, str]:
    """What the stock `step` client sends: always with a client_secret, here an empty one."""
    return {
        "grant_type": "authorization_code",
        "code": code,
        "client_id": "step-ca",
        "client_secret": "",
        "redirect_uri": LOOPBACK,
        "code_verifier": VERIFIER,
    } | changes


def basic(name: str, secret: str) -> dict[str, str]:
    """An Authorization header."""
    return {"authorization": "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()}


def location(response: Response) -> str:
    """Where a response sends the browser."""
    assert response.status == 303, (response.status, response.body)
    return dict(response.headers)["location"]


def handle_in(response: Response) -> str:
    """The handle of the pending request that a page is opened for."""
    return parse_qs(urlsplit(location(response)).query)["request"][0]


def answer_parameters(address: str) -> dict[str, str]:
    """The parameters of an authorization response, each of which comes once."""
    parts = urlsplit(address)
    found = parse_qs(parts.fragment or parts.query, keep_blank_values=True)
    assert all(len(values) == 1 for values in found.values())
    return {name: values[0] for name, values in found.items()}


def members(response: Response) -> dict[str, Any]:
    """A JSON answer."""
    assert dict(response.headers)["content-type"] == "application/json"
    return msgspec.json.decode(response.body, type=dict[str, Any])


def _cookie(cookie: str | None) -> dict[str, str]:
    return {} if cookie is None else {"cookie": f"theme=dark; {SESSION_COOKIE}={cookie}"}


def _match(route: Route, method: str, path: str) -> dict[str, str] | None:
    pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(route.path))
    found = re.fullmatch(pattern, path)
    return found.groupdict() if found is not None and route.method == method else None


async def _answer(route: Route, request: Request) -> Response:
    try:
        return await route.handler(request)
    except Failure as failure:
        if route.wire is Wire.OAUTH:
            return answer_failure(request, failure)
        text = " | ".join((type(failure).__name__, failure.detail, *failure.reasons, failure.hint))
        return Response(400, text.encode(), (("content-type", "text/plain"),))
