"""Nouns of mail: what a message says, the message in the outbox, and what came of a try."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from msgspec import Struct

from sealwright.clock import Instant


class MailKind(StrEnum):
    """What a message is about."""

    INVITATION = "invitation"
    RESET = "reset"
    VERIFICATION = "verification"
    APPROVAL_WAITS = "approval_waits"
    APPROVAL_DECIDED = "approval_decided"


@dataclass(frozen=True, slots=True)
class Content:
    """What a message says to whom. The text holds a link that is worth a password, and is nowhere but sealed."""

    recipient_name: str
    subject: str
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Draft:
    """A message to be queued."""

    kind: MailKind
    account_id: str
    recipient: str
    link_digest: bytes | None = field(repr=False)
    """Of the one-time link that it brings, which the message ends with; None where it brings none."""
    content: Content
    expires_at: Instant


@dataclass(frozen=True, slots=True)
class Queued:
    """A message in the outbox that someone is sending now."""

    id: str
    kind: MailKind
    account_id: str
    recipient: str
    sealed_content: bytes = field(repr=False)
    tries: int
    """Counting the one that begins."""
    last_failure: str | None
    expires_at: Instant

    @property
    def target(self) -> str:
        """What audit rows call whom it is for."""
        return f"person:{self.account_id}"


class DeliveryState(StrEnum):
    """What came of a message so far."""

    SENT = "sent"
    QUEUED = "queued"
    FAILED = "failed"


class Delivery(Struct, frozen=True):
    """What came of trying to send a message at once."""

    state: DeliveryState
    detail: str = ""
    """Why it was not sent."""
    server_unusable: bool = False
    """Whether another message would not have been sent either."""


class OutboxStatus(Struct, frozen=True):
    """What is in the outbox."""

    count: int
    oldest: Instant | None
    last_failure: str
    """Of the message that was tried most often."""
