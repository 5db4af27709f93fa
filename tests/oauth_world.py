"""An authorization server with real people, sessions and keys around it, called through its routes."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import msgspec

from sealwright.access import SYSTEM
from sealwright.clock import FixedClock, Instant
from sealwright.http import Listener, Peer, Request, Response
from sealwright.identity import SESSION_COOKIE, Account, SessionKind, SignedIn
from sealwright.jose import SignedClaims, UnverifiedToken, keys_of_jwks, verify
from sealwright.settings import BudgetSettings, OAuthSettings
from tests.app import App, make_app, settings
from tests.databases import OpenDatabase, sqlite_database

ORIGIN = "https://id.example.org"
START = Instant(1_790_000_000_000)
VERIFIER = "n8yG3vK2h0QfUOZ1cXbLs7TjWmRpDqEaHiY5x6NkV4t"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
LOOPBACK = "http://127.0.0.1:45673"
WEB = "https://ca.example.org"
"""Where a public client is answered over https: its landing page. Only there is a consent remembered for it."""
CALLBACK = "https://wiki.example.org/callback"


class World:
    """Everything that a test may want to look at or to move."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.db = app.around.db
        self.clock: Any = app.around.clock
        self.audit = app.parts.audit
        self.dependencies = app.parts.oauth_dependencies
        self.custody = app.around.custody
        self.directory = app.parts.identity.directory
        self.sessions = app.parts.identity.sessions
        self.sealer = app.around.sealer
        self.server = app.parts.oauth
        self.outbound: Any = app.around.outbound

    def other_node(self, **changes: Any) -> World:
        """The same database, seen through a server of its own with its own memory."""
        return World(self.app.other_node(**changes))

    # --- people and clients ---

    async def person(self, name: str, *, groups: tuple[str, ...] = (), mails: tuple[str, ...] | None = None) -> Account:
        addresses = (f"{name}@example.org",) if mails is None else mails
        account = await self.directory.create_person(name, name.capitalize(), mails=addresses, actor=SYSTEM)
        for group in groups:
            if await self.directory.find_group(group) is None:
                await self.directory.create_group(group, actor=SYSTEM)
            await self.directory.add_members(group, [name], actor=SYSTEM)
        return account

    async def account(self, name: str) -> Account:
        """The account of a person who exists."""
        found = await self.directory.find(name)
        assert found is not None
        return found

    async def sign_in(self, account: Account) -> str:
        """A browser session; returns its cookie."""

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
        """A public client with localhost redirects, for members of `users`. Returns its name."""
        clients = self.server.clients
        await clients.create_public(name, "Step-CA", "https://ca.example.org", actor=SYSTEM)
        await clients.change(name, {"localhost_redirects": True}, actor=SYSTEM)
        await clients.update_scope_map(name, "users", scopes, actor=SYSTEM)
        return name

    async def confidential_client(
        self, name: str = "wiki", *, scopes: tuple[str, ...] = ("openid", "email", "profile", "groups")
    ) -> tuple[str, str]:
        """A confidential client with one redirect URI, for members of `users`. Returns its name and secret."""
        clients = self.server.clients
        await clients.create_confidential(name, "The Wiki", "https://wiki.example.org", actor=SYSTEM)
        await clients.add(name, "redirect_uris", CALLBACK, actor=SYSTEM)
        await clients.update_scope_map(name, "users", scopes, actor=SYSTEM)
        secret = await clients.secrets.show_basic_secret(name, actor=SYSTEM)
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
        certificate: bytes | None = None,
        host: str = "",
    ) -> Response:
        """Call a route as the server would; with a client certificate, on the machines listener. `host`: the Host header."""
        path, _, query = target.partition("?")
        fields = {**(headers or {}), **({"host": host} if host else {})}
        request = Request(method, path, query, fields, body, peer=Peer(address, certificate), request_id="r1")
        return await self.app.call(request, Listener.PEOPLE if certificate is None else Listener.MACHINES)

    async def authorize(self, cookie: str | None = None, **parameters: str) -> Response:
        """An authorization request in a browser."""
        return await self.call("GET", f"/oauth2/authorise?{urlencode(parameters)}", headers=_cookie(cookie))

    async def post(
        self,
        path: str,
        form: Mapping[str, str],
        headers: Mapping[str, str] | None = None,
        *,
        address: str = "192.0.2.7",
        certificate: bytes | None = None,
    ) -> Response:
        """A form."""
        content_type = {"content-type": "application/x-www-form-urlencoded"}
        return await self.call(
            "POST",
            path,
            body=urlencode(form).encode(),
            headers=content_type | dict(headers or {}),
            address=address,
            certificate=certificate,
        )

    async def token(
        self,
        headers: Mapping[str, str] | None = None,
        *,
        address: str = "192.0.2.7",
        certificate: bytes | None = None,
        **form: str,
    ) -> Response:
        """A token request."""
        return await self.post("/oauth2/token", form, headers, address=address, certificate=certificate)

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
        answer = await self.post(
            "/oauth2/token", public_redemption(code, client_id=request["client_id"], redirect_uri=request["redirect_uri"])
        )
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
    open_database: OpenDatabase = sqlite_database, *, budgets: BudgetSettings | None = None, **lifetimes: Any
) -> AsyncIterator[World]:
    """A world on a fresh database, where time stands still until it is moved."""
    async with open_database() as db:
        chosen = settings(people=ORIGIN, budgets=budgets or BudgetSettings(), oauth=OAuthSettings(**lifetimes))
        app = make_app(db, chosen, clock=FixedClock(START))
        await app.parts.identity.directory.create_group("users", actor=SYSTEM)
        yield World(app)


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


def public_redemption(code: str, **changes: str) -> dict[str, Any]:
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


def page_text(response: Response) -> str:
    """What a person reads on a page."""
    assert dict(response.headers)["content-type"].startswith("text/html"), response.headers
    return html.unescape(re.sub(r"<[^>]*>", "", response.body.decode()))


def members(response: Response) -> dict[str, Any]:
    """A JSON answer."""
    assert dict(response.headers)["content-type"] == "application/json"
    return msgspec.json.decode(response.body, type=dict[str, Any])


def _cookie(cookie: str | None) -> dict[str, str]:
    return {} if cookie is None else {"cookie": f"theme=dark; {SESSION_COOKIE}={cookie}"}
