"""Messages to people: queued with what they are about, sealed, and sent until the SMTP server accepts them or they expire.

Owns: the outbox, the text of each message, the conversation with the SMTP server. Never knows what a link does, nor who may
make one. A message is sent at least once: a process that dies after the server took it, and before that was written down,
leaves it to be sent again, with the same Message-ID.
"""

from __future__ import annotations

from sealwright.mail.errors import MailRejected, MailServerUnusable, MailUndelivered
from sealwright.mail.messages import Sender, approval_decided, approval_waits, invitation, reset, verification
from sealwright.mail.models import Content, Delivery, DeliveryState, Draft, MailKind, OutboxStatus
from sealwright.mail.outbox import MailLog, Outbox
from sealwright.mail.smtp import SmtpServer

__all__ = [
    "Content",
    "Delivery",
    "DeliveryState",
    "Draft",
    "MailKind",
    "MailLog",
    "MailRejected",
    "MailServerUnusable",
    "MailUndelivered",
    "Outbox",
    "OutboxStatus",
    "Sender",
    "SmtpServer",
    "approval_decided",
    "approval_waits",
    "invitation",
    "reset",
    "verification",
]
