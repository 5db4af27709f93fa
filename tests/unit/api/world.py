"""The whole server in this process: identity, OAuth, certificate authority and API on one SQLite file, without a socket."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import select

from sealwright import api
from sealwright.access import SYSTEM
from sealwright.app.routes import api_dependencies
from sealwright.clock import FixedClock
from sealwright.db import Database, Statement
from sealwright.db.schema import metadata
from sealwright.http import Listener, Peer, Request, Response
from sealwright.identity import SessionKind
from sealwright.mail import MailLog
from sealwright.settings import MailSettings
from tests.app import settings
from tests.databases import sqlite_database
from tests.unit.identity.world import World

PEOPLE, MACHINES, STATUS = "https://id.example.org:8443", "https://id.example.org:9443", "http://id.example.org:8080"


class ServerWorld(World):
    def __init__(
        self,
        db: Database,
        *,
        clock: FixedClock | None = None,
        entropy_seed: int = 7,
        home: Path = Path("/nonexistent"),
        mail_settings: MailSettings | None = None,
        mail_log: MailLog | None = None,
    ) -> None:
        chosen = settings(people=PEOPLE, machines=MACHINES, status=STATUS, home=home, mail=mail_settings or MailSettings())
        super().__init__(db, clock, entropy_seed, chosen=chosen, mail_log=mail_log)
        parts = self.app.parts
        self.oauth, self.ca, self.outbox, self.custody = parts.oauth, parts.ca, parts.outbox, self.app.around.custody
        self.provisioners = parts.ca.provisioners
        self.listeners = {PEOPLE: Listener.PEOPLE, MACHINES: Listener.MACHINES, STATUS: Listener.STATUS}
        self.api_dependencies = api_dependencies(parts)
        self.api_routes = api.routes(self.api_dependencies)

    async def seed(self) -> None:
        await super().seed()
        await self.ca.issuers.create_hierarchy("Example", SYSTEM)

    async def answer(self, origin: str, request: Request) -> Response:
        """What the server would answer on the listener with this origin."""
        return await self.app.call(request, self.listeners[origin])

    async def token(self, name: str, *groups: str, kind: SessionKind = SessionKind.TERMINAL) -> str:
        """The session token of a new person in these groups."""
        await self.person(name, *groups)
        return (await self.signed_in(name, kind=kind)).token

    async def stored(self, table: str) -> list[tuple[Any, ...]]:
        """Every row of a table."""
        return [tuple(row) for row in await self.db.all(Statement(select(metadata.tables[table])))]

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
        """Call the API; the status and the decoded JSON of the answer, or its text where it is not JSON."""
        response = await self.send(method, path, body, token=token, query=query, headers=headers)
        if dict(response.headers).get("content-type", "").startswith("text/"):
            return response.status, response.body.decode()
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
