"""Make, show and revoke API tokens, and find who holds one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

from sealwright.access import Actor, Permission, permissions_of_account, require
from sealwright.audit import Audit, Event
from sealwright.clock import Clock, Instant, after, to_rfc3339
from sealwright.db import Database, Transaction
from sealwright.entropy import Entropy, token, uuid4
from sealwright.errors import InvalidInput
from sealwright.identity.api_tokens import store
from sealwright.identity.directory.authorized_changes import AuthorizedChanges
from sealwright.identity.directory.directory import Directory
from sealwright.identity.directory.store import account as find_account
from sealwright.identity.directory.store import lock_account, lock_directory
from sealwright.identity.errors import AccountNotUsable, CredentialNotFound, LabelTaken, TooManyCredentials
from sealwright.identity.models import (
    Account,
    AccountKind,
    ApiToken,
    NewApiToken,
    Session,
    SessionKind,
    SignedIn,
)
from sealwright.identity.policy import check_label, printable, searchable, secret_digest

API_TOKEN_PREFIX = "sealwright_api_"  # noqa: S105 - what every token begins with, so that a scanner finds one in a file
MAX_TOKENS = 32
T = TypeVar("T")
_USE_NOTED_AFTER = timedelta(minutes=1)
_NEVER = Instant(253_402_300_799_000)
"""The end of the year 9999."""


class ApiTokens:
    """Only service accounts have API tokens. Their manager may make them, but none with permissions that they lack."""

    def __init__(
        self, db: Database, audit: Audit, clock: Clock, entropy: Entropy, directory: Directory, changes: AuthorizedChanges
    ) -> None:
        self._db = db
        self._audit = audit
        self._clock = clock
        self._entropy = entropy
        self._directory = directory
        self._changes = changes

    async def resolve(self, api_token: str, address: str) -> SignedIn | None:
        """Who holds the token, if it and its account are valid now. `address`: of the peer, for the actor."""
        found = await store.by_digest(self._db, secret_digest(api_token))
        now = self._clock.now()
        if found is None or (found.expires_at is not None and found.expires_at <= now):
            return None
        account = await find_account(self._db, found.account_id)
        if account is None or account.kind is not AccountKind.SERVICE or not account.status(now).active:
            return None
        if found.last_used_at is None or after(found.last_used_at, _USE_NOTED_AFTER) <= now:

            async def body(tx: Transaction) -> None:
                await store.note_use(tx, found.id, now)

            await self._db.write(body)
        permissions = await permissions_of_account(self._db, account.id, now, session_id="")
        if found.read_only:
            permissions = permissions.only_reading()
        actor = account.as_actor(permissions=permissions, session_id=found.id, address=address)
        return SignedIn(account, _as_session(found, address), actor, read_only=found.read_only)

    async def with_account(self, token_id: str) -> tuple[ApiToken, Account] | None:
        """The token with an id and the account whose it is, whether they are valid now or not; None for one that was revoked."""
        found = await store.by_id(self._db, token_id)
        account = None if found is None else await find_account(self._db, found.account_id)
        return None if found is None or account is None else (found, account)

    async def generate(self, who: str, label: str, *, expires_at: Instant | None, read_only: bool, actor: Actor) -> NewApiToken:
        """Make a token of a service account; its secret is returned only here."""
        await self._changes.require_in_person(Event.API_TOKEN_CREATED, actor, f"service:{who}", "make API tokens")
        text = check_label(label)
        now = self._clock.now()
        if expires_at is not None and expires_at <= now:
            raise InvalidInput(
                f"A token cannot expire at {to_rfc3339(expires_at)}: that is in the past.", hint="Give a time in the future."
            )
        secret = API_TOKEN_PREFIX + token(self._entropy)

        async def body(tx: Transaction) -> ApiToken:
            account = await self._changeable(tx, actor, who, "make a token of")
            if account.disabled_at is not None:
                raise AccountNotUsable(
                    f"{account.name} is disabled: a token would open it as soon as it is enabled.", hint="Enable it first."
                )
            held = await store.of_account(tx, account.id)
            if len(held) >= MAX_TOKENS:
                raise TooManyCredentials(
                    f"{account.name} has {len(held)} tokens, which is the most there can be.", hint="Revoke one first."
                )
            if any(each.label == text for each in held):
                raise LabelTaken(f"{account.name} has a token {text!r} already.", hint="Choose another label.", pointer="/label")
            new = ApiToken(uuid4(self._entropy), account.id, text, read_only, now, expires_at, None, actor.id)
            await store.insert_token(tx, new, secret_digest(secret))
            details = {
                "token": new.id,
                "label": text,
                "read_only": read_only,
                "expires_at": None if expires_at is None else to_rfc3339(expires_at),
            }
            await self._audit.record(tx, Event.API_TOKEN_CREATED, actor=actor, target=account.reference, details=details)
            return new

        return NewApiToken(secret, await self._run(Event.API_TOKEN_CREATED, actor, who, body))

    async def list_of(self, who: str, *, actor: Actor) -> tuple[ApiToken, ...]:
        """Tokens of a service account, the oldest first. For anyone who may read people, its manager, and itself."""
        account = await self._directory.show_service_account(who, actor=actor)
        return tuple(await store.of_account(self._db, account.id))

    async def revoke(self, who: str, token_id: str, *, actor: Actor) -> None:
        """End a token at once. A service account may end its own."""

        async def body(tx: Transaction) -> None:
            account = await self._changeable(tx, actor, who, "revoke a token of")
            label = await store.delete_token(tx, searchable(token_id), account.id)
            if label is None:
                raise CredentialNotFound(f"{account.name} has no token {printable(token_id, 80)!r}.")
            details = {"token": token_id, "label": label}
            await self._audit.record(tx, Event.API_TOKEN_REVOKED, actor=actor, target=account.reference, details=details)

        await self._run(Event.API_TOKEN_REVOKED, actor, who, body)

    async def _run(self, event: Event, actor: Actor, who: str, body: Callable[[Transaction], Awaitable[T]]) -> T:
        permission = Permission.PERSON_WRITE if actor.holds(Permission.PERSON_WRITE) else None
        return await self._changes.run(event, permission, actor, f"service:{who}", body)

    async def _changeable(self, tx: Transaction, actor: Actor, who: str, verb: str) -> Account:
        """The service account, locked, if `actor` may do this with its tokens."""
        await lock_directory(tx)
        found = await self._directory.service_account_in(tx, who)
        if not await self._directory.manages(tx, actor, found):
            require(actor, Permission.PERSON_WRITE)
        account = self._directory.known_service_account(found, who)
        await self._changes.require_over_account(tx, actor, account, verb)
        await lock_account(tx, account.id)
        return account


def _as_session(held: ApiToken, address: str) -> Session:
    """What stands where a person has a session; it is in no table."""
    return Session(
        id=held.id,
        account_id=held.account_id,
        kind=SessionKind.API_TOKEN,
        methods=(),
        address=address,
        user_agent=held.label,
        created_at=held.created_at,
        authenticated_at=held.created_at,
        last_seen_at=held.last_used_at or held.created_at,
        expires_at=held.expires_at or _NEVER,
        ended_at=None,
    )
