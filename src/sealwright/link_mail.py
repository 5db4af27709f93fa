"""Mail with a one-time link, for the API and the pages."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from msgspec import Struct

from sealwright import mail
from sealwright.access import Actor
from sealwright.db import Transaction
from sealwright.identity import Account, OneTimeLink, secret_digest

SEND_TIMEOUT = timedelta(seconds=5)
"""How long an answer waits for the SMTP server. The message is queued by then, whatever comes of it."""
_MESSAGES = {mail.MailKind.INVITATION: mail.invitation, mail.MailKind.RESET: mail.reset}


class LinkDelivery(Struct, frozen=True):
    """Whether a link was sent by mail."""

    to: str | None
    state: str
    """sent, queued (it is tried again until the link ends), failed, or not_sent."""
    detail: str
    """Why it was not sent; else empty."""


class LinkMail:
    """Queues one link with the transaction that makes it, where it is wanted and can be sent; tries it once that is durable."""

    def __init__(
        self, outbox: mail.Outbox, kind: mail.MailKind, actor: Actor, *, wanted: bool, address: Callable[[OneTimeLink], str]
    ) -> None:
        """`actor`: who asks. `address`: of a link, as people open it."""
        self._outbox = outbox
        self._kind = kind
        self._actor = actor
        self._wanted = wanted and outbox.is_on
        self._address = address
        self._queued = ""
        self._recipient = ""
        self._name = ""

    async def __call__(self, tx: Transaction, account: Account, link: OneTimeLink) -> None:
        """Store the message beside the link. Only an address that is verified gets it."""
        self._name = account.name
        self._recipient = next((each.address for each in account.mails if each.verified), "")
        if not self._wanted or not self._recipient:
            return
        content = _MESSAGES[self._kind](
            self._outbox.sender,
            to=account.display_name,
            asked_by=self._actor.name,
            link=self._address(link),
            until=link.expires_at,
        )
        draft = mail.Draft(self._kind, account.id, self._recipient, secret_digest(link.token), content, link.expires_at)
        self._queued = await self._outbox.queue(tx, draft)

    async def outcome(self) -> LinkDelivery | None:
        """What came of it; None where no message was wanted, or no SMTP server is set."""
        if not self._wanted:
            return None
        if not self._recipient:
            return LinkDelivery(None, "not_sent", f"{self._name} has no verified e-mail address.")
        tried = await self._outbox.send_now(self._queued, SEND_TIMEOUT)
        return LinkDelivery(self._recipient, str(tried.state), tried.detail)
