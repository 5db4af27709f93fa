"""The whole server in this process: identity, OAuth, certificate authority and API on one SQLite file, without a socket."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from sealwright import api, ca, oauth
from sealwright.access import SYSTEM, NamedAuthority
from sealwright.api import ApiDependencies, ServerFacts
from sealwright.app.wiring import directory_of
from sealwright.budgets import make_budgets
from sealwright.clock import FixedClock
from sealwright.db import Database, Transaction
from sealwright.errors import NotFound
from sealwright.http import Listener, Peer, Request, Response, Wire
from sealwright.identity import SessionKind
from sealwright.keys import Custody, Sealer
from sealwright.mail import MailLog, Outbox, Sender
from sealwright.openid_providers import TrustedProviders
from sealwright.outbound import GuardedOutbound
from sealwright.runtime.routing import RouteTable
from sealwright.settings import BudgetSettings, MailSettings, OAuthSettings
from tests.databases import sqlite_database
from tests.unit.identity.world import World

PEOPLE, MACHINES, STATUS = "https://id.example.org:8443", "https://id.example.org:9443", "http://id.example.org:8080"
FAILURES = {Wire.API: api.answer_failure, Wire.OAUTH: oauth.answer_failure, Wire.STEP: ca.answer_failure}


class ServerWorld(World):
    def __init__(
        self,
        db: Database,
        *,
        clock: FixedClock | None = None,
        entropy_seed: int = 7,
        provisioner_files: Path = Path("/nonexistent"),
        mail_settings: MailSettings | None = None,
        mail_log: MailLog | None = None,
    ) -> None:
        super().__init__(db, clock, entropy_seed, self._named)
        self.sealer = Sealer(bytes(32), self.entropy)
        self.provisioners = ca.ProvisionerRegistry(
            db, self.sealer, self.audit, self.clock, directory=provisioner_files, own_client=partial(oauth.client_name_in, PEOPLE)
        )
        self.custody = Custody(db, self.sealer, self.clock)
        dependencies = oauth.OAuthDependencies(
            db, self.clock, self.entropy, self.audit, PEOPLE, OAuthSettings(), make_budgets(BudgetSettings(), self.clock)
        )
        self.oauth = oauth.build_authorization_server(
            dependencies,
            directory=self.directory,
            sessions=self.sessions,
            custody=self.custody,
            sealer=self.sealer,
            named=self.provisioners.named_authority,
        )
        self.ca = ca.build_authority(
            ca.AuthorityDependencies(
                db, self.clock, self.entropy, self.audit, self.custody, self.sealer, make_budgets(BudgetSettings(), self.clock)
            ),
            providers=TrustedProviders(GuardedOutbound(), self.clock, self.oauth.discovery.local_provider),
            directory=directory_of(self.directory, self.oauth.id_token_status),
            dns_names=("id.example.org",),
            provisioners=self.provisioners,
        )
        self.outbox = Outbox(
            db,
            self.audit,
            self.clock,
            self.entropy,
            self.sealer,
            settings=mail_settings or MailSettings(),
            sender=Sender("Example", PEOPLE, "help@example.org"),
            log=mail_log,
        )
        self.domain = ApiDependencies(
            db=db,
            clock=self.clock,
            facts=ServerFacts("Example", PEOPLE, MACHINES, STATUS),
            directory=self.directory,
            credentials=self.credentials,
            invitations=self.invitations,
            reset_links=self.reset,
            outbox=self.outbox,
            sessions=self.sessions,
            sign_in=self.sign_in,
            clients=self.oauth.clients,
            issuers=self.ca.issuers,
            provisioners=self.ca.provisioners,
            inventory=self.ca.inventory,
            revocation=self.ca.revocation,
        )
        self.api_routes = api.routes(self.domain)
        everything = [*self.api_routes, *self.oauth.routes, *self.ca.routes]
        self.tables = {
            PEOPLE: RouteTable(route for route in everything if Listener.PEOPLE in route.listeners),
            MACHINES: RouteTable(route for route in everything if Listener.MACHINES in route.listeners),
        }

    async def _named(self, reader: Database | Transaction) -> Sequence[NamedAuthority]:
        return await self.provisioners.named_authority(reader)

    async def seed(self) -> None:
        await super().seed()
        await self.ca.issuers.create_hierarchy("Example", SYSTEM)

    async def answer(self, origin: str, request: Request) -> Response:
        """What the server would answer on the listener with this origin."""
        try:
            match = self.tables[origin].find(request.method, request.path)
        except NotFound as failure:
            return api.answer_failure(request, failure)
        request.path, request.path_parameters, request.origin = match.path, match.parameters, origin
        try:
            return await match.route.handler(request)
        except Exception as failure:  # noqa: BLE001 - every wire tells failures in its own words
            return FAILURES[match.route.wire](request, failure)

    async def token(self, name: str, *groups: str, kind: SessionKind = SessionKind.TERMINAL) -> str:
        """The session token of a new person in these groups."""
        await self.person(name, *groups)
        return (await self.signed_in(name, kind=kind)).token

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None = None,
        query: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, Any]:
        """Call the API; the status and the decoded JSON of the answer."""
        response = await self.send(method, path, body, token=token, query=query, headers=headers)
        return response.status, msgspec.json.decode(response.body) if response.body else None

    async def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None = None,
        query: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        raw = body if isinstance(body, bytes) else b"" if body is None else msgspec.json.encode(body)
        given = {"content-type": "application/json"} if raw else {}
        if token is not None:
            given["authorization"] = f"Bearer {token}"
        request = Request(
            method=method,
            path=f"/api/v1{path}",
            query_text=query,
            headers={**given, **(headers or {})},
            body=raw,
            peer=Peer("192.0.2.1"),
            request_id="request-1",
        )
        return await self.answer(PEOPLE, request)


@asynccontextmanager
async def server_world() -> AsyncIterator[ServerWorld]:
    async with sqlite_database() as db:
        world = ServerWorld(db)
        await world.seed()
        yield world
