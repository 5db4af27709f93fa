"""Registration tokens: who may let applications register themselves, how many, and with which scopes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import NamedTuple

from sealwright.access import Actor, Permission, require, require_current, require_in_person
from sealwright.audit import Event
from sealwright.clock import after
from sealwright.db import Transaction
from sealwright.entropy import token, uuid4
from sealwright.errors import InvalidInput, NotPermitted
from sealwright.oauth import policy
from sealwright.oauth.clients.registry import group_named
from sealwright.oauth.dependencies import OAuthDependencies
from sealwright.oauth.digests import digest_of
from sealwright.oauth.errors import NotRegistered
from sealwright.oauth.lookups import PeopleLookup
from sealwright.oauth.registration import store
from sealwright.oauth.registration.store import RegistrationToken

TOKEN_BYTES = 32
MOST_USES = 100_000
LONGEST_LIFE = timedelta(days=366)


class NewRegistrationToken(NamedTuple):
    """A new token, which is shown only now, and its record."""

    token: str
    record: RegistrationToken


class RegistrationTokens:
    """The tokens with which clients may register themselves."""

    def __init__(self, dependencies: OAuthDependencies, directory: PeopleLookup) -> None:
        self._db = dependencies.db
        self._clock = dependencies.clock
        self._entropy = dependencies.entropy
        self._audit = dependencies.audit
        self._directory = directory

    async def create(
        self, *, uses: int, lasts: timedelta, scopes: tuple[str, ...] = (), group: str | None = None, actor: Actor
    ) -> NewRegistrationToken:
        """Make a token. `scopes` are what members of `group` may grant to each client that it lets in; without, it has none."""
        await self._require_write(Event.REGISTRATION_TOKEN_CREATED, actor)
        async with self._recorded_refusals(Event.REGISTRATION_TOKEN_CREATED, actor):
            require_in_person(actor, "make registration tokens")
        if not 1 <= uses <= MOST_USES:
            raise InvalidInput(f"A registration token cannot let in {uses} clients.", hint=f"Give 1 to {MOST_USES} uses.")
        if not timedelta(seconds=1) <= lasts <= LONGEST_LIFE:
            raise InvalidInput(
                f"A registration token cannot last {int(lasts.total_seconds())} seconds.",
                hint=f"Give 1 second to {LONGEST_LIFE.days} days.",
            )
        if bool(scopes) != (group is not None):
            raise InvalidInput(
                "Scopes and the group whose members may grant them are given together, or neither.",
                hint="Give both, such as the group idm_all_accounts with the scope inventory.read.",
            )
        words = policy.require_scope_words(scopes) if scopes else ()
        found = None if group is None else await group_named(self._directory, group)
        now, text = self._clock.now(), token(self._entropy, TOKEN_BYTES)
        record = RegistrationToken(
            uuid4(self._entropy), actor.name, now, after(now, lasts), uses, tuple(words), None if found is None else found.name
        )

        async def body(tx: Transaction) -> None:
            await store.insert_token(tx, record, digest_of(text), None if found is None else found.id)
            details = {"uses": uses, "expires_at": record.expires_at, "scopes": list(words), "group": record.group}
            await self._record(tx, Event.REGISTRATION_TOKEN_CREATED, record.id, details, actor)

        async with self._recorded_refusals(Event.REGISTRATION_TOKEN_CREATED, actor):
            await self._db.write(body)
        return NewRegistrationToken(text, record)

    async def list(self, *, actor: Actor) -> list[RegistrationToken]:
        """Those that still let a client in, oldest first."""
        require(actor, Permission.CLIENT_READ)
        return await store.tokens(self._db, self._clock.now())

    async def delete(self, token_id: str, *, actor: Actor) -> None:
        """Delete a token; the clients that it let in stay."""
        await self._require_write(Event.REGISTRATION_TOKEN_DELETED, actor)

        async def body(tx: Transaction) -> None:
            if not await store.delete_token(tx, token_id[:64]):
                raise NotRegistered(
                    f"There is no registration token {token_id[:64]!r}.",
                    hint="The list of registration tokens has the ids of those that still work.",
                )
            await self._record(tx, Event.REGISTRATION_TOKEN_DELETED, token_id, {}, actor)

        async with self._recorded_refusals(Event.REGISTRATION_TOKEN_DELETED, actor):
            await self._db.write(body)

    async def _require_write(self, event: Event, actor: Actor) -> None:
        async with self._recorded_refusals(event, actor):
            require(actor, Permission.CLIENT_WRITE)

    @asynccontextmanager
    async def _recorded_refusals(self, event: Event, actor: Actor) -> AsyncIterator[None]:
        try:
            yield
        except NotPermitted as refusal:
            details = {"reason": refusal.detail, "reasons": list(refusal.reasons)}
            target = "registration_token:unknown"
            await self._audit.refused(self._db, event, actor=actor, target=target, reason=refusal.code, details=details)
            raise

    async def _record(self, tx: Transaction, event: Event, token_id: str, details: dict[str, object], actor: Actor) -> None:
        await require_current(tx, actor, Permission.CLIENT_WRITE, self._clock.now())
        await self._audit.record(tx, event, actor=actor, target=f"registration_token:{token_id}", details=details)
