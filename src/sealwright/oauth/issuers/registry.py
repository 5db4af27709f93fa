"""Issuers that clients share: created, deleted, given keys. Every verb checks the permission and leaves an audit row."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from msgspec import Struct

from sealwright.access import Actor, Permission, require, require_current
from sealwright.audit import Event
from sealwright.client_metadata import is_client_name, require_client_name, rows
from sealwright.clock import Instant
from sealwright.db import DuplicateRow, Transaction
from sealwright.entropy import uuid4
from sealwright.errors import Action, NotPermitted, Remedy
from sealwright.keys import Custody
from sealwright.oauth.clients.keys import require_rotation_time
from sealwright.oauth.dependencies import OAuthDependencies
from sealwright.oauth.errors import IssuerExists, IssuerInUse, IssuerUnknown, NotRegistered
from sealwright.oauth.issuers import store
from sealwright.oauth.issuers.addresses import configuration_url_of, key_owner_of_shared, shared_issuer_url
from sealwright.oauth.issuers.keys import ClientKey, IssuerKeys, Recorded
from sealwright.oauth.issuers.models import ROOT_ID, SharedIssuer

ALGORITHMS = rows()["id_token_signed_response_alg"].choices
"""An issuer that clients share has a key for each algorithm that one of them may choose."""
_NAMED = 5


class IssuerConfiguration(Struct, frozen=True):
    """What is known of an issuer that clients share."""

    name: str
    is_root: bool
    url: str
    configuration_url: str


class IssuerRegistry:
    """The issuers that clients share."""

    def __init__(self, dependencies: OAuthDependencies, custody: Custody) -> None:
        self._db = dependencies.db
        self._clock = dependencies.clock
        self._entropy = dependencies.entropy
        self._audit = dependencies.audit
        self._origin = dependencies.origin
        self._keys = IssuerKeys(dependencies.db, dependencies.clock, custody)

    async def create(self, name: str, *, root: bool = False, actor: Actor) -> IssuerConfiguration:
        """Create an issuer. `root`: its URL is the server's own; there is one such issuer at most."""
        await self._require_write(Event.OAUTH_ISSUER_CREATED, name, actor)
        require_client_name(name)
        issuer = SharedIssuer(ROOT_ID if root else uuid4(self._entropy), name)
        keys = await self._keys.generate(key_owner_of_shared(issuer), ALGORITHMS)

        async def body(tx: Transaction) -> None:
            await store.insert_issuer(tx, issuer, self._clock.now())
            await self._keys.insert(tx, keys)
            details = {"name": name, "url": shared_issuer_url(self._origin, issuer), "keys": [key.id for key in keys]}
            await self._record(tx, Event.OAUTH_ISSUER_CREATED, issuer, details, actor)

        try:
            async with self._recorded_refusals(Event.OAUTH_ISSUER_CREATED, name, actor):
                await self._db.write(body)
        except DuplicateRow as cause:
            raise await self._exists(name) from cause
        finally:
            self._keys.forget()
        return self._configuration(issuer)

    async def get(self, name: str, *, actor: Actor) -> IssuerConfiguration:
        """One issuer."""
        require(actor, Permission.CLIENT_READ)
        return self._configuration(await self._found(name))

    async def list(self, *, actor: Actor) -> list[IssuerConfiguration]:
        """All of them, by name."""
        require(actor, Permission.CLIENT_READ)
        return [self._configuration(issuer) for issuer in await store.issuers(self._db)]

    async def delete(self, name: str, *, actor: Actor) -> None:
        """Delete an issuer that no client is on, with its keys."""
        await self._require_write(Event.OAUTH_ISSUER_DELETED, name, actor)
        issuer = await self._found(name)
        keys = [key.id for key in await self._keys.stored(key_owner_of_shared(issuer))]

        async def body(tx: Transaction) -> None:
            if await store.issuer_to_use(tx, name) is None:
                raise _unknown(name)
            if there := await store.clients_of(tx, issuer, _NAMED + 1):
                raise _in_use(name, there)
            await store.delete_issuer(tx, issuer.id)
            await self._keys.revoke_all(tx, keys)
            await self._record(tx, Event.OAUTH_ISSUER_DELETED, issuer, {"name": name}, actor)

        try:
            async with self._recorded_refusals(Event.OAUTH_ISSUER_DELETED, name, actor):
                await self._db.write(body)
        finally:
            self._keys.forget()

    async def list_keys(self, name: str, *, actor: Actor) -> tuple[ClientKey, ...]:
        """The keys that are not revoked, newest first."""
        require(actor, Permission.CLIENT_READ)
        return await self._unrevoked(await self._found(name))

    async def rotate(self, name: str, at: Instant | None = None, *, actor: Actor) -> tuple[ClientKey, ...]:
        """Give an issuer new keys that are published at once and sign from `at` on, or as soon as everyone can have seen them."""
        await self._require_write(Event.OAUTH_ISSUER_KEYS_ROTATED, name, actor)
        issuer = await self._found(name)
        require_rotation_time(at, self._clock)
        recorded = self._recorded(Event.OAUTH_ISSUER_KEYS_ROTATED, issuer, actor)
        async with self._recorded_refusals(Event.OAUTH_ISSUER_KEYS_ROTATED, name, actor):
            await self._keys.rotate(key_owner_of_shared(issuer), ALGORITHMS, at, recorded)
        return await self._unrevoked(issuer)

    async def revoke(self, name: str, key_id: str, *, actor: Actor) -> tuple[ClientKey, ...]:
        """Take a key out of the key set: whatever it signed, for any client, is worth nothing from now on."""
        await self._require_write(Event.OAUTH_ISSUER_KEY_REVOKED, name, actor)
        issuer = await self._found(name)
        recorded = self._recorded(Event.OAUTH_ISSUER_KEY_REVOKED, issuer, actor)
        async with self._recorded_refusals(Event.OAUTH_ISSUER_KEY_REVOKED, name, actor):
            found = await self._keys.revoke(key_owner_of_shared(issuer), key_id, ALGORITHMS, recorded)
        if not found:
            raise NotRegistered(f"The issuer {name} has no key {key_id[:80]!r}.", remedy=Remedy(Action.SHOW_ISSUER, name))
        return await self._unrevoked(issuer)

    async def _unrevoked(self, issuer: SharedIssuer) -> tuple[ClientKey, ...]:
        return await self._keys.unrevoked(key_owner_of_shared(issuer), ALGORITHMS)

    async def _require_write(self, event: Event, name: str, actor: Actor) -> None:
        async with self._recorded_refusals(event, name, actor):
            require(actor, Permission.CLIENT_WRITE)

    @asynccontextmanager
    async def _recorded_refusals(self, event: Event, name: str, actor: Actor) -> AsyncIterator[None]:
        try:
            yield
        except NotPermitted as refusal:
            target = f"oauth_issuer:{name if is_client_name(name) else 'unknown'}"
            details = {"reason": refusal.detail, "reasons": list(refusal.reasons)}
            await self._audit.refused(self._db, event, actor=actor, target=target, reason=refusal.code, details=details)
            raise

    async def _found(self, name: str) -> SharedIssuer:
        found = await store.issuer_named(self._db, name) if is_client_name(name) else None
        if found is None:
            raise _unknown(name)
        return found

    async def _exists(self, name: str) -> IssuerExists:
        if await store.issuer_named(self._db, name) is not None:
            return IssuerExists(f"There is an issuer named {name!r} already.", remedy=Remedy(Action.LIST_ISSUERS))
        root = await store.root_issuer(self._db)
        return IssuerExists(
            f"There is a root issuer already, named {'' if root is None else root.name!r}.",
            reasons=("only one issuer can have the server's own URL",),
            remedy=Remedy(Action.LIST_ISSUERS),
        )

    def _recorded(self, event: Event, issuer: SharedIssuer, actor: Actor) -> Recorded:
        async def record(tx: Transaction, details: dict[str, object]) -> None:
            await self._record(tx, event, issuer, {"name": issuer.name, **details}, actor)

        return record

    async def _record(self, tx: Transaction, event: Event, issuer: SharedIssuer, details: dict[str, Any], actor: Actor) -> None:
        await require_current(tx, actor, Permission.CLIENT_WRITE, self._clock.now())
        await self._audit.record(tx, event, actor=actor, target=f"oauth_issuer:{issuer.id}", details=details)

    def _configuration(self, issuer: SharedIssuer) -> IssuerConfiguration:
        url = shared_issuer_url(self._origin, issuer)
        return IssuerConfiguration(issuer.name, issuer.is_root, url, configuration_url_of(url))


def _unknown(name: str) -> IssuerUnknown:
    return IssuerUnknown(f"There is no issuer named {name[:80]!r}.", remedy=Remedy(Action.LIST_ISSUERS))


def _in_use(name: str, clients: list[str]) -> IssuerInUse:
    more = " and others" if len(clients) > _NAMED else ""
    return IssuerInUse(
        f"The issuer {name} is shared by {', '.join(clients[:_NAMED])}{more}.",
        reasons=("their tokens name it, and are verified with its keys",),
        remedy=Remedy(Action.LEAVE_ISSUER, clients[0]),
    )
