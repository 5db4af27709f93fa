"""Messages to people: queued with what they are about, sealed, and sent until the SMTP server takes them or they are over.

Owns: the outbox, the words of each message, the conversation with the SMTP server. Never knows what a link does, nor who may
make one. A message is sent at least once: a process that dies after the server took it, and before that was written down,
leaves it to be sent again, with the same Message-ID.
"""

from __future__ import annotations

from sealwright.mail.errors import MailRefusedForGood, MailServerUnusable, MailUndelivered
from sealwright.mail.models import Content, Delivery, DeliveryState, Draft, MailKind, Waiting
from sealwright.mail.outbox import MailLog, Outbox
from sealwright.mail.smtp import SmtpServer
from sealwright.mail.wording import Sender, invitation, reset

__all__ = [
    "Content",
    "Delivery",
    "DeliveryState",
    "Draft",
    "MailKind",
    "MailLog",
    "MailRefusedForGood",
    "MailServerUnusable",
    "MailUndelivered",
    "Outbox",
    "Sender",
    "SmtpServer",
    "Waiting",
    "invitation",
    "reset",
]
