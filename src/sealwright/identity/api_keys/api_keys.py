"""Make, show, rotate, narrow and revoke API keys, and find who holds one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable
from datetime import timedelta
from typing import TypeVar

from msgspec.structs import replace

from sealwright.access import Actor, Permission, permissions_named, permissions_of_account, require
from sealwright.audit import Audit, Event
from sealwright.clock import Clock, Instant, after, between, to_rfc3339
from sealwright.db import Database, Transaction
from sealwright.entropy import Entropy, uuid4
from sealwright.identity.api_keys import store
from sealwright.identity.api_keys.errors import ApiKeyNotFound, ApiKeyRefused, ApiKeyReplaced
from sealwright.identity.api_keys.models import ApiKey, ApiKeyState, ApiKeyUsage, ApiKeyUse, NewApiKey, OwnedKey
from sealwright.identity.api_keys.secret import SHOWN, is_api_key, new_api_key
from sealwright.identity.directory.authorized_changes import AuthorizedChanges
from sealwright.identity.directory.store import lock_account
from sealwright.identity.errors import LabelTaken, TooManyCredentials
from sealwright.identity.models import Account, AccountKind, Session, SessionEnd, SessionKind, SignedIn
from sealwright.identity.policy import check_label, printable, searchable, secret_digest

USUAL_LIFETIME = timedelta(days=90)
LONGEST_LIFETIME = timedelta(days=366)
USUAL_OVERLAP = timedelta(days=1)
LONGEST_OVERLAP = timedelta(days=30)
MAX_KEYS = 32
MAX_SCOPES = 64
_USE_NOTED_AFTER = timedelta(minutes=1)
_PERMISSION_NOTED_AFTER = timedelta(hours=1)
_MOST_NOTED = 10_000
T = TypeVar("T")


class ApiKeys:
    """Keys of people. What one may do is judged at each use: what its scope names, of what its owner may do at that moment."""

    def __init__(self, db: Database, audit: Audit, clock: Clock, entropy: Entropy, changes: AuthorizedChanges) -> None:
        self._db = db
        self._audit = audit
        self._clock = clock
        self._entropy = entropy
        self._changes = changes
        self._noted: dict[tuple[str, Permission], Instant] = {}
        """When a use was written last: each permission once an hour, so that a busy key costs no write."""

    async def resolve(self, api_key: str, address: str) -> SignedIn | None:
        """Who holds the key, if it and its owner are valid now. `address`: of the peer, for the actor."""
        found = await store.by_digest(self._db, secret_digest(api_key)) if is_api_key(api_key) else None
        if found is None:
            return None
        key, account = found
        now = self._clock.now()
        if not key.is_good(now) or account.kind is AccountKind.SERVICE or not account.status(now).active:
            return None
        if key.last_used_at is None or after(key.last_used_at, _USE_NOTED_AFTER) <= now:

            async def body(tx: Transaction) -> None:
                await store.note_use(tx, key.id, address, now)

            await self._db.write(body)
        held = await permissions_of_account(self._db, account.id, now, session_id=key.session_id)
        permissions = held.only(await permissions_named(self._db, key.scopes))
        actor = account.as_actor(permissions=permissions, session_id=key.id, address=address, api_key=key.id)
        return SignedIn(account, _as_session(key, address), actor)

    async def note_use(self, key_id: str, permissions: Iterable[Permission]) -> None:
        """Note with which permissions a key is being used."""
        now = self._clock.now()
        due = [each for each in permissions if after(self._noted.get((key_id, each), Instant(0)), _PERMISSION_NOTED_AFTER) <= now]
        if not due:
            return

        async def body(tx: Transaction) -> None:
            await store.note_uses(tx, key_id, [ApiKeyUse(each, now) for each in due])

        await self._db.write(body)
        if len(self._noted) > _MOST_NOTED:
            self._noted.clear()
        self._noted.update({(key_id, each): now for each in due})

    async def create(
        self, name: str, scopes: Collection[str], *, expires_at: Instant | None = None, owner: SignedIn
    ) -> NewApiKey:
        """Make a key of the person who is signed in; its secret is returned only here."""
        now = self._clock.now()
        ends = after(now, USUAL_LIFETIME) if expires_at is None else expires_at
        if not now < ends <= after(now, LONGEST_LIFETIME):
            raise ApiKeyRefused(
                f"A key cannot expire at {to_rfc3339(ends)}.",
                hint=f"Give a time within the next {LONGEST_LIFETIME.days} days.",
                pointer="/expires_at",
            )
        await self._require_known(scopes)
        allowed = await permissions_named(self._db, scopes)
        _require_held(owner.actor, allowed)
        secret = new_api_key(self._entropy)
        new = ApiKey(
            id=uuid4(self._entropy),
            account_id=owner.account.id,
            name=check_label(name, pointer="/name"),
            beginning=secret[:SHOWN],
            scopes=tuple(sorted(set(scopes))),
            session_id=owner.session.id,
            created_at=now,
            expires_at=ends,
        )

        async def body(tx: Transaction) -> None:
            await lock_account(tx, new.account_id)
            good = [each.key for each in await store.of_account(tx, new.account_id) if each.key.is_good(now)]
            if len(good) >= MAX_KEYS:
                raise TooManyCredentials(
                    f"{owner.account.name} has {len(good)} keys, which is the most there can be.", hint="Revoke one first."
                )
            if any(each.name == new.name and each.replaced_at is None for each in good):
                raise LabelTaken(
                    f"{owner.account.name} has a key {new.name!r} already.",
                    hint="Choose another name, or rotate it.",
                    pointer="/name",
                )
            await store.insert_key(tx, new, secret_digest(secret))
            await self._record(tx, Event.API_KEY_CREATED, owner.actor, new, scopes=list(new.scopes), expires_at=to_rfc3339(ends))

        await self._db.write(body)
        return NewApiKey(secret, new)

    async def list_of(self, account: Account, *, actor: Actor) -> tuple[OwnedKey, ...]:
        """Keys of a person, also ended ones for a month, the oldest first. One's own need no permission."""
        if account.id != actor.id:
            require(actor, Permission.API_KEY_READ)
        return tuple(await store.of_account(self._db, account.id))

    async def list_all(self, *, beyond: str = "", at_most: int, actor: Actor) -> tuple[OwnedKey, ...]:
        """Keys of everyone, by id."""
        require(actor, Permission.API_KEY_READ)
        return tuple(await store.page(self._db, beyond=searchable(beyond), at_most=at_most))

    async def show(self, key_id: str, *, actor: Actor) -> tuple[OwnedKey, ApiKeyUsage]:
        """One key, what it may do by its scope, and what of that was used."""
        found = await store.by_id(self._db, searchable(key_id))
        if found is None or found.key.account_id != actor.id:
            require(actor, Permission.API_KEY_READ)
        if found is None:
            raise _not_found(key_id)
        return found, await self.usage(found.key)

    async def belongs_to(self, key_id: str, actor: Actor) -> bool:
        """Whether a key is the actor's own."""
        found = await store.by_id(self._db, searchable(key_id))
        return found is not None and found.key.account_id == actor.id

    async def usage(self, key: ApiKey) -> ApiKeyUsage:
        """What a key may do by its scope, and what of that was used."""
        return ApiKeyUsage(await permissions_named(self._db, key.scopes), await store.uses(self._db, key.id))

    async def rotate(self, key_id: str, *, overlap: timedelta = USUAL_OVERLAP, owner: SignedIn) -> NewApiKey:
        """Make another key of the same name, scope and duration; the old one stays valid for the overlap."""
        if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
            raise ApiKeyRefused(
                f"Both keys cannot be valid for {overlap}.", hint=f"Give an overlap of at most {LONGEST_OVERLAP.days} days."
            )
        secret = new_api_key(self._entropy)

        async def body(tx: Transaction) -> ApiKey:
            await lock_account(tx, owner.account.id)
            now = self._clock.now()
            old = await self._own(tx, key_id, owner.actor, now)
            replaced = [
                each.key for each in await store.of_account(tx, old.account_id) if each.key.state(now) is ApiKeyState.REPLACED
            ]
            if len(replaced) >= MAX_KEYS:
                raise TooManyCredentials(
                    f"{owner.account.name} has {len(replaced)} keys that were rotated and are still valid; there can be no more.",
                    hint="Revoke one of them first.",
                )
            await store.replace(tx, old.id, now=now, until=min(old.expires_at, after(now, overlap)))
            new = replace(
                old,
                id=uuid4(self._entropy),
                beginning=secret[:SHOWN],
                session_id=owner.session.id,
                created_at=now,
                expires_at=after(now, between(old.created_at, old.expires_at)),
                last_used_at=None,
                last_address="",
            )
            await store.insert_key(tx, new, secret_digest(secret))
            await store.note_uses(tx, new.id, await store.uses(tx, old.id))
            await self._record(tx, Event.API_KEY_ROTATED, owner.actor, old, successor=new.id, overlap=str(overlap))
            return new

        return NewApiKey(secret, await self._db.write(body))

    async def narrow(self, key_id: str, scopes: Collection[str] | None = None, *, actor: Actor) -> ApiKey:
        """Take from a key what it does not need: leave it `scopes`, or without them what it was used with."""
        if scopes is not None:
            await self._require_known(scopes)

        async def body(tx: Transaction) -> ApiKey:
            key = await self._changeable(tx, key_id, actor)
            usage = ApiKeyUsage(await permissions_named(tx, key.scopes), await store.uses(tx, key.id))
            if scopes is None and not usage.used:
                raise ApiKeyRefused(
                    f"The key {key.name!r} was used with none of its permissions, so that nothing would be left.",
                    hint="Revoke it, or say which permissions it keeps.",
                )
            left = tuple(sorted(set(scopes) if scopes is not None else map(str, usage.used)))
            more = await permissions_named(tx, left) - usage.allowed
            if more:
                raise ApiKeyRefused(
                    f"The key {key.name!r} would be allowed more than before: {', '.join(sorted(more))}.",
                    hint="Make another key for what this one may not do.",
                )
            await store.narrow(tx, key.id, left)
            await self._record(tx, Event.API_KEY_NARROWED, actor, key, scopes=list(left), scopes_before=list(key.scopes))
            return replace(key, scopes=left)

        return await self._run(Event.API_KEY_NARROWED, key_id, actor, body)

    async def revoke(self, key_id: str, *, actor: Actor) -> None:
        """End a key at once."""

        async def body(tx: Transaction) -> None:
            key = await self._changeable(tx, key_id, actor)
            await store.revoke(tx, key.id, self._clock.now())
            await self._record(tx, Event.API_KEY_REVOKED, actor, key)

        await self._run(Event.API_KEY_REVOKED, key_id, actor, body)

    async def why_refused(self, api_key: str) -> SessionEnd:
        """Why `resolve` did not take a key."""
        found = await store.by_digest(self._db, secret_digest(api_key)) if is_api_key(api_key) else None
        if found is None:
            return SessionEnd.INVALID
        now, (key, account) = self._clock.now(), found
        ended = {ApiKeyState.REVOKED: SessionEnd.REVOKED, ApiKeyState.EXPIRED: SessionEnd.EXPIRED}.get(key.state(now))
        return ended or (SessionEnd.INVALID if account.status(now).active else SessionEnd.ACCOUNT_NOT_ACTIVE)

    async def _require_known(self, scopes: Collection[str]) -> None:
        if not scopes:
            raise ApiKeyRefused(
                "A key needs a scope: at least one permission or role.", hint="`r-viewer` is one that only reads."
            )
        if len(scopes) > MAX_SCOPES:
            raise ApiKeyRefused(f"{len(scopes)} permissions and roles are too many for one key; there can be {MAX_SCOPES}.")
        for each in scopes:
            if not await permissions_named(self._db, (each,)):
                raise ApiKeyRefused(
                    f"{printable(each, 80)!r} is neither a permission nor a role.",
                    hint="List the permissions and the roles to see them.",
                )

    async def _own(self, tx: Transaction, key_id: str, actor: Actor, now: Instant) -> ApiKey:
        found = await store.by_id(tx, searchable(key_id))
        if found is None or found.key.account_id != actor.id or not found.key.is_good(now):
            raise _not_found(key_id)
        if found.key.replaced_at is not None:
            raise ApiKeyReplaced(
                f"The key {found.key.name!r} was rotated already.", hint="Rotate its successor, which has the same name."
            )
        return found.key

    async def _changeable(self, tx: Transaction, key_id: str, actor: Actor) -> ApiKey:
        found = await store.by_id(tx, searchable(key_id))
        if found is None or found.key.account_id != actor.id:
            require(actor, Permission.API_KEY_WRITE)
        if found is None or not found.key.is_good(self._clock.now()):
            raise _not_found(key_id)
        await lock_account(tx, found.key.account_id)
        return found.key

    async def _run(self, event: Event, key_id: str, actor: Actor, body: Callable[[Transaction], Awaitable[T]]) -> T:
        return await self._changes.run(event, None, actor, f"api_key:{printable(key_id)}", body)

    async def _record(self, tx: Transaction, event: Event, actor: Actor, key: ApiKey, **details: object) -> None:
        whose = {"name": key.name, "account": key.account_id}
        await self._audit.record(tx, event, actor=actor, target=f"api_key:{key.id}", details={**whose, **details})


def _require_held(actor: Actor, allowed: Iterable[Permission]) -> None:
    missing = sorted(each for each in allowed if not actor.permissions.holds_somewhere(each))
    if missing:
        raise ApiKeyRefused(
            f"{actor.name} may not do everything that this key is meant for: {', '.join(missing)}.",
            hint="Leave it out: a key never does more than its owner.",
        )


def _not_found(key_id: str) -> ApiKeyNotFound:
    return ApiKeyNotFound(f"There is no key {printable(key_id, 80)!r} that is valid.", hint="List the keys to see their ids.")


def _as_session(key: ApiKey, address: str) -> Session:
    """What stands where a person has a session; it is in no table."""
    return Session(
        id=key.id,
        account_id=key.account_id,
        kind=SessionKind.API_KEY,
        methods=(),
        address=address,
        user_agent=key.name,
        created_at=key.created_at,
        authenticated_at=key.created_at,
        last_seen_at=key.last_used_at or key.created_at,
        expires_at=key.expires_at,
        ended_at=None,
    )
