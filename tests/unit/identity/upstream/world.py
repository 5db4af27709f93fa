"""A server with an identity provider of someone else beside it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sealwright.access import SYSTEM
from sealwright.db import Database
from sealwright.identity.upstream.models import UpstreamProvider
from sealwright.identity.upstream.sign_on import CompletedSignOn
from tests.databases import sqlite_database
from tests.foreign_provider import ISSUER, ForeignProvider, described
from tests.unit.identity.world import World


class UpstreamWorld(World):
    def __init__(self, db: Database, issuer: str = ISSUER) -> None:
        super().__init__(db)
        outbound: Any = self.app.around.outbound
        self.provider = ForeignProvider(outbound, self.clock, issuer)
        self.providers, self.sign_on = self.app.parts.upstream_providers, self.app.parts.sign_on

    async def with_mapping(self, group: str, role: str, **changes: Any) -> UpstreamProvider:
        """The provider, one group of which gives a role."""
        made = await self.providers.create(described(issuer_url=self.provider.issuer, **changes), actor=SYSTEM)
        await self.providers.map_group(made.id, group, role, actor=SYSTEM)
        return made

    async def complete(self, query: dict[str, str], cookie: str, held_token: str = "") -> CompletedSignOn:
        return await self.sign_on.complete(
            query, cookie=cookie, address="192.0.2.9", user_agent="test", held_token=held_token, device_token=None
        )

    async def signed_on(self, provider: UpstreamProvider, **claims: Any) -> CompletedSignOn:
        """Sign in with the provider, whose ID token says what `claims` change."""
        begun = await self.sign_on.begin(provider.id, return_to="/ui/account")
        return await self.complete(self.provider.answer(begun.location, **claims), begun.cookie)


@asynccontextmanager
async def upstream_world(issuer: str = ISSUER) -> AsyncIterator[UpstreamWorld]:
    async with sqlite_database() as db:
        world = UpstreamWorld(db, issuer)
        await world.seed()
        yield world
