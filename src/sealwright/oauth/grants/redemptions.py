"""Consume codes and refresh tokens, and record what clients get for them.

Redemptions of the same moment share a transaction and its statements; each of them succeeds, or is refused, for itself.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, NamedTuple

from sealwright.access import Actor
from sealwright.audit import Entry, Event
from sealwright.clock import Instant, after
from sealwright.db import Transaction, WriteBatcher, first_uses
from sealwright.oauth.digests import digest_of
from sealwright.oauth.grants import store
from sealwright.oauth.grants.grant import GrantDependencies
from sealwright.oauth.grants.grant_result import GrantResult
from sealwright.oauth.models import Client

Consume = Callable[[Transaction, Iterable[store.Successor], Instant], Awaitable[set[bytes]]]


class Redemption(NamedTuple):
    """What is presented, by its digest, and what it is used for."""

    digest: bytes
    result: GrantResult
    refresh_token: str | None
    """The next one; None for a client that gets none."""
    client: Client
    actor: Actor
    sealed_successor: bytes | None = None
    """The refresh token that follows, where it may be sent once more; the family then outlives a second use for a while."""


class Redemptions:
    """Of one grant type."""

    def __init__(self, dependencies: GrantDependencies, consume: Consume, *, grant_type: str, used_again: str) -> None:
        """`consume` is the store's verb; `used_again` is why a family ends when someone else was faster."""
        self._clock = dependencies.oauth.clock
        self._audit = dependencies.oauth.audit
        self._lifetimes = dependencies.oauth.lifetimes
        self._families = dependencies.families
        self._consume = consume
        self._grant_type = grant_type
        self._used_again = used_again
        self._batcher: WriteBatcher[Redemption, bool] = WriteBatcher(dependencies.oauth.db, self._write)

    async def redeem(self, redemption: Redemption) -> bool:
        """Whether this was the first to use it up, in time; if not, nothing is granted, and its family ends.

        A family outlives it where the successor may be sent once more.
        """
        return await self._batcher.add(redemption)

    async def _write(self, tx: Transaction, redemptions: Sequence[Redemption]) -> Sequence[bool]:
        now = self._clock.now()
        first = {each.digest: store.Successor(each.digest, each.sealed_successor) for each in reversed(redemptions)}
        unused = await self._consume(tx, first.values(), now)
        answers = first_uses((each.digest for each in redemptions), unused)
        good = [each for each, answer in zip(redemptions, answers, strict=True) if answer]
        given = [(each, each.refresh_token) for each in good if each.refresh_token is not None]
        await store.insert_refresh_tokens(tx, [self._refresh_token(each, refresh_token, now) for each, refresh_token in given])
        await self._audit.record_all(tx, [audit_entry(each.result, each.client, each.actor, self._grant_type) for each in good])
        for each, answer in zip(redemptions, answers, strict=True):
            if not answer and each.sealed_successor is None:
                await self._families.revoke(tx, each.result.family, each.client, self._used_again, each.actor)
        return answers

    def _refresh_token(self, redemption: Redemption, refresh_token: str, now: Instant) -> store.NewRefreshToken:
        result, client = redemption.result, redemption.client
        if result.family.is_offline:
            lifetime = client.offline_lifetime(self._lifetimes.offline_access)
        else:
            lifetime = client.refresh_lifetime(self._lifetimes.refresh_token)
        # A confidential client proves itself at each refresh anyway, and may do so with a renewed certificate.
        bound_to = result.confirmation.text if client.is_public and result.confirmation is not None else None
        return store.NewRefreshToken(digest_of(refresh_token), result.family.id, now, after(now, lifetime), bound_to)


def audit_entry(result: GrantResult, client: Client, actor: Actor, grant_type: str, **also: Any) -> Entry:
    """What goes on record for tokens."""
    family = result.family
    details: dict[str, Any] = {
        "client": client.name,
        "grant_type": grant_type,
        "family": family.id,
        "scope": " ".join(result.scopes),
        "access_token": result.access_token_id,
    }
    if family.account_id is not None:
        details |= {"account": family.account_id, "session": family.session_id}
    if "openid" in result.scopes:
        details["id_token"] = result.id_token_id
    return Entry(Event.TOKEN_ISSUED, actor, f"client:{client.id}", details=details | also)
