"""The outbox: what is queued in the transaction that makes a link, and sent by whichever process claims it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any, Protocol

import msgspec

from sealwright.access import SYSTEM
from sealwright.audit import Audit, Event, Outcome
from sealwright.clock import Clock, after
from sealwright.db import Database, Transaction
from sealwright.entropy import Entropy, uuid4
from sealwright.errors import Failure
from sealwright.keys import SealBroken, Sealer
from sealwright.mail import store
from sealwright.mail.errors import MailRejected, MailServerUnusable, MailUndelivered
from sealwright.mail.messages import Sender, message
from sealwright.mail.models import Content, Delivery, DeliveryState, Draft, OutboxStatus, Queued
from sealwright.mail.policy import CLAIM, latest_try, next_try
from sealwright.mail.smtp import SmtpServer
from sealwright.settings import MailSettings

MOST_AT_ONCE = 4
"""Conversations that requests begin; what is more waits for the job."""
SETTLED_WITHIN = timedelta(seconds=10)
"""How long the end of a process, or a reload, waits for a conversation that a request began."""
LONGEST_ROUND = timedelta(minutes=4)
_IN_ONE_ROUND = 100


class MailLog(Protocol):
    """Where lines about messages go."""

    def info(self, event: str, **more: Any) -> None: ...
    def warning(self, event: str, **more: Any) -> None: ...


class Outbox:
    """Queues and sends. Where no SMTP server is set, nothing is queued."""

    def __init__(
        self,
        db: Database,
        audit: Audit,
        clock: Clock,
        entropy: Entropy,
        sealer: Sealer,
        *,
        settings: MailSettings,
        sender: Sender,
        log: MailLog | None = None,
    ) -> None:
        self._db = db
        self._audit = audit
        self._clock = clock
        self._entropy = entropy
        self._sealer = sealer
        self._settings = settings
        self.sender = sender
        self._log = log
        self._server = SmtpServer(settings, sender.host)
        self._places = asyncio.Semaphore(MOST_AT_ONCE)
        self._tasks: set[asyncio.Task[Delivery]] = set()

    @property
    def is_on(self) -> bool:
        """Whether there is a server to send with."""
        return bool(self._settings.host)

    async def check(self) -> str:
        """Whether the SMTP server can be used, in words; raises MailUndelivered."""
        return await self._server.check()

    async def status(self) -> OutboxStatus:
        """What is in the outbox."""
        return await store.status(self._db)

    async def queue(self, tx: Transaction, draft: Draft) -> str:
        """Put a message in the outbox, in the transaction that creates the link in it; returns its id."""
        message_id = uuid4(self._entropy)
        sealed = self._sealer.seal(msgspec.json.encode(draft.content), _context(message_id))
        await store.insert(tx, message_id, draft, sealed, self._clock.now())
        return message_id

    async def send_now(self, message_id: str, at_most: timedelta) -> Delivery:
        """Try a queued message at once. What takes longer than `at_most` goes on without the caller."""
        if self._places.locked():
            return Delivery(DeliveryState.QUEUED, "Other messages are being sent.")
        task = asyncio.create_task(self._try_in_place(message_id), name="send mail")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        done, _ = await asyncio.wait([task], timeout=at_most.total_seconds())
        try:
            return task.result() if done else Delivery(DeliveryState.QUEUED, "The SMTP server has not taken it yet.")
        except Failure as failure:  # the link is made, and must be returned whatever became of its message
            return Delivery(DeliveryState.QUEUED, failure.detail)

    async def settle(self) -> None:
        """Wait a while for what is being sent, so that it is written down and not sent again."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=SETTLED_WITHIN.total_seconds())

    async def send_due(self) -> None:
        """Send what is due, until the server cannot be used or the time of a round is over."""
        if not self.is_on:
            return
        await self._db.write(store.remove_used)
        now = self._clock.now()
        last = after(now, LONGEST_ROUND)
        for message_id in await store.due(self._db, now=now, latest=latest_try(now), at_most=_IN_ONE_ROUND):
            tried = await self._try(message_id)
            if tried.server_unusable or self._clock.now() > last:
                return

    async def _try_in_place(self, message_id: str) -> Delivery:
        async with self._places:
            return await self._try(message_id)

    async def _try(self, message_id: str) -> Delivery:
        """Claim a message, try to send it, and write down what came of it."""

        async def claim(tx: Transaction) -> Queued | None:
            now = self._clock.now()
            return await store.claim(tx, message_id, now=now, latest=latest_try(now), until=after(now, CLAIM))

        claimed = await self._db.write(claim)
        if claimed is None:
            return Delivery(DeliveryState.QUEUED)
        if claimed.expires_at <= self._clock.now():
            return await self._give_up(claimed, f"Its link ended. {claimed.last_failure or 'It was not tried before.'}")
        try:
            await self._hand_over(claimed)
        except (MailUndelivered, SealBroken) as failure:
            return await self._postpone(claimed, failure.detail, server_unusable=isinstance(failure, MailServerUnusable))
        except MailRejected as refusal:
            return await self._give_up(claimed, refusal.detail)
        return await self._sent(claimed)

    async def _hand_over(self, claimed: Queued) -> None:
        content = msgspec.json.decode(self._sealer.open(claimed.sealed_content, _context(claimed.id)), type=Content)
        made = message(
            content,
            message_id=claimed.id,
            sender=self.sender,
            from_=self._settings.from_address,
            reply_to=self._settings.reply_to,
            to=claimed.recipient,
            at=self._clock.now(),
        )
        await self._server.send(made, from_=self._settings.from_address, to=claimed.recipient)

    async def _sent(self, claimed: Queued) -> Delivery:
        await self._finish(claimed, Event.MAIL_SENT, Outcome.DONE, {})
        if self._log is not None:
            self._log.info("mail sent", kind=str(claimed.kind), target=claimed.target, tries=claimed.tries)
        return Delivery(DeliveryState.SENT)

    async def _give_up(self, claimed: Queued, reason: str) -> Delivery:
        await self._finish(claimed, Event.MAIL_FAILED, Outcome.FAILED, {"reason": reason})
        self._warn("mail given up", claimed, reason)
        return Delivery(DeliveryState.FAILED, reason)

    async def _postpone(self, claimed: Queued, reason: str, *, server_unusable: bool) -> Delivery:
        until = next_try(self._clock.now(), claimed.tries, claimed.expires_at)

        async def body(tx: Transaction) -> None:
            await store.postpone(tx, claimed, until=until, why=reason)

        await self._db.write(body)
        self._warn("mail not sent yet", claimed, reason)
        return Delivery(DeliveryState.QUEUED, reason, server_unusable)

    async def _finish(self, claimed: Queued, event: Event, outcome: Outcome, more: dict[str, str]) -> None:
        details = {"kind": str(claimed.kind), "to": claimed.recipient, "tries": claimed.tries, **more}

        async def body(tx: Transaction) -> None:
            await store.remove(tx, claimed.id)
            await self._audit.record(tx, event, actor=SYSTEM, target=claimed.target, outcome=outcome, details=details)

        await self._db.write(body)

    def _warn(self, event: str, claimed: Queued, reason: str) -> None:
        if self._log is not None:
            self._log.warning(event, kind=str(claimed.kind), target=claimed.target, tries=claimed.tries, reason=reason)


def _context(message_id: str) -> str:
    """What a sealed content belongs to."""
    return f"mail_outbox:{message_id}"
