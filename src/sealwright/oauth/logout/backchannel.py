"""Back-channel logout: what is queued in the transaction that ends a session, and posted by whichever process claims it.

A logout token is delivered at least once: a process that dies after the client took the token leaves it to be sent again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import timedelta

from sealwright.access import SYSTEM
from sealwright.audit import Event, Outcome
from sealwright.clock import CLOCKS_DIFFER, Instant, after
from sealwright.db import Transaction
from sealwright.entropy import uuid4
from sealwright.errors import Failure
from sealwright.jose import sign
from sealwright.keys import Custody
from sealwright.oauth.dependencies import OAuthDependencies
from sealwright.oauth.issuers.addresses import issuer_url_of, key_owner_of
from sealwright.oauth.logout import store
from sealwright.oauth.logout.models import LogoutDelivery
from sealwright.oauth.logout.policy import DELIVERED_WITHIN, LOGOUT_TOKEN_TYPE, backchannel_url, logout_token_claims, next_try
from sealwright.outbound import Outbound, OutboundFailed

MOST_AT_ONCE = 32
MOST_AT_ONCE_OF_CLIENT = 2
"""So that a client that answers slowly, or not at all, delays no one else."""
ROUND_LASTS = timedelta(seconds=2)
"""How long a round of the job waits for its calls; the others go on beside the next one."""
SETTLED_WITHIN = timedelta(seconds=10)
"""How long the end of a process waits for calls that a logout began."""
_CALL_SECONDS = 5.0
_CLAIM = timedelta(seconds=30) + CLOCKS_DIFFER
_IN_ONE_ROUND = 200
_IN_ONE_ROUND_OF_CLIENT = 20
_TAKEN = frozenset({200, 204})


async def queue_logout_tokens(tx: Transaction, session_id: str, account_id: str, now: Instant) -> None:
    """Queue a logout token for each client that was given something under the session and has a URL for them."""
    for client in await store.clients_of_session(tx, session_id):
        if backchannel_url(client):
            await store.insert(
                tx, client.id, session_id=session_id, account_id=account_id, now=now, expires_at=after(now, DELIVERED_WITHIN)
            )


class BackchannelLogout:
    """Delivers logout tokens."""

    def __init__(self, dependencies: OAuthDependencies, *, custody: Custody, outbound: Outbound) -> None:
        self._db = dependencies.db
        self._clock = dependencies.clock
        self._entropy = dependencies.entropy
        self._audit = dependencies.audit
        self._origin = dependencies.origin
        self._custody = custody
        self._outbound = outbound
        self._slots = asyncio.Semaphore(MOST_AT_ONCE)
        self._slots_of: dict[str, asyncio.Semaphore] = {}
        self._under_way: dict[tuple[str, str], asyncio.Task[None]] = {}

    async def deliver_session(self, session_id: str, at_most: timedelta) -> None:
        """Tell the clients of a session that just ended. What takes longer than `at_most` goes on in the background."""
        await self._wait(self._begin(await store.untried_of_session(self._db, session_id)), at_most)

    async def deliver_due(self) -> None:
        """Try what is due. A scheduled job, safe on any number of nodes."""
        now = self._clock.now()
        queued = await store.due(self._db, now=now, at_most=_IN_ONE_ROUND, of_client=_IN_ONE_ROUND_OF_CLIENT)
        await self._wait(self._begin(queued), ROUND_LASTS)

    async def settle(self) -> None:
        """Wait a while for calls that are under way, so that what came of them is stored."""
        await self._wait(set(self._under_way.values()), SETTLED_WITHIN)

    def _begin(self, queued: Iterable[tuple[str, str]]) -> set[asyncio.Task[None]]:
        return {self._task_of(*each) for each in queued}

    def _task_of(self, client_id: str, session_id: str) -> asyncio.Task[None]:
        key = (client_id, session_id)
        task = self._under_way.get(key)
        if task is None:
            task = self._under_way[key] = asyncio.create_task(self._deliver(*key), name="back-channel logout")
            task.add_done_callback(lambda _: self._ended(key))
        return task

    def _ended(self, key: tuple[str, str]) -> None:
        del self._under_way[key]
        if all(client_id != key[0] for client_id, _ in self._under_way):
            self._slots_of.pop(key[0], None)

    async def _wait(self, tasks: set[asyncio.Task[None]], at_most: timedelta) -> None:
        if tasks:
            await asyncio.wait(tasks, timeout=at_most.total_seconds())

    async def _deliver(self, client_id: str, session_id: str) -> None:
        of_client = self._slots_of.setdefault(client_id, asyncio.Semaphore(MOST_AT_ONCE_OF_CLIENT))
        async with of_client, self._slots:
            delivery = await self._claim(client_id, session_id)
            if delivery is None:
                return
            if not backchannel_url(delivery.client):
                await self._finish(delivery, Outcome.FAILED, "the client has no back-channel logout URL any more")
                return
            try:
                failure = await self._post(delivery)
            except Failure as refused:  # the client's key, or the call
                failure = refused.detail
            if not failure:
                await self._finish(delivery, Outcome.DONE, "")
            elif delivery.expires_at <= self._clock.now():
                await self._finish(delivery, Outcome.FAILED, failure)
            else:
                await self._postpone(delivery, failure)

    async def _claim(self, client_id: str, session_id: str) -> LogoutDelivery | None:
        async def body(tx: Transaction) -> LogoutDelivery | None:
            now = self._clock.now()
            return await store.claim(tx, client_id, session_id, now=now, until=after(now, _CLAIM))

        return await self._db.write(body)

    async def _post(self, delivery: LogoutDelivery) -> str:
        """Post a fresh logout token; why it was not taken, or empty."""
        client, url = delivery.client, backchannel_url(delivery.client)
        key = await self._custody.published(*key_owner_of(client))
        claims = logout_token_claims(
            issuer_url_of(self._origin, client),
            client,
            account_id=delivery.account_id,
            session_id=delivery.session_id,
            token_id=uuid4(self._entropy),
            now=self._clock.now(),
        )
        token = sign(key, claims, type=LOGOUT_TOKEN_TYPE)
        try:
            response = await self._outbound.post_form(url, {"logout_token": token}, timeout=_CALL_SECONDS)
        except OutboundFailed as failed:
            return failed.detail
        return "" if response.status in _TAKEN else f"{url.partition('?')[0]} answered with status {response.status}."

    async def _finish(self, delivery: LogoutDelivery, outcome: Outcome, reason: str) -> None:
        event = Event.LOGOUT_DELIVERED if outcome is Outcome.DONE else Event.LOGOUT_UNDELIVERED
        details = {"client": delivery.client.name, "session": delivery.session_id, "tries": delivery.tries}

        async def body(tx: Transaction) -> None:
            await store.remove(tx, delivery)
            await self._audit.record(
                tx,
                event,
                actor=SYSTEM,
                target=f"client:{delivery.client.id}",
                outcome=outcome,
                details=details | ({"reason": reason} if reason else {}),
            )

        await self._db.write(body)

    async def _postpone(self, delivery: LogoutDelivery, reason: str) -> None:
        until = next_try(self._clock.now(), delivery.tries, delivery.expires_at)

        async def body(tx: Transaction) -> None:
            await store.postpone(tx, delivery, until=until, why=reason)

        await self._db.write(body)
