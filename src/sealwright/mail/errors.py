"""What can go wrong with a message."""

from __future__ import annotations

from sealwright.errors import Refused, Unavailable


class MailUndelivered(Unavailable):
    """The SMTP server did not take a message now; it is tried again."""

    code = "mail_undelivered"


class MailServerUnusable(MailUndelivered):
    """The SMTP server cannot be used now, whatever the message: it is down, or the settings do not fit it."""

    code = "mail_server_unusable"


class MailRejected(Refused):
    """The SMTP server will not take this message, however often it is tried."""

    code = "message_refused"
