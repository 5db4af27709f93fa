"""The text of each message, and its headers."""

from __future__ import annotations

from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from urllib.parse import urlsplit

from msgspec import Struct

from sealwright.clock import Instant, to_datetime
from sealwright.hosts import address_of
from sealwright.mail.models import Content


class Sender(Struct, frozen=True):
    """Who the server is to those it writes to."""

    name: str
    url: str
    contact: str
    """Whom people ask; may be empty."""

    @property
    def host(self) -> str:
        """What the server calls itself to another (RFC 5321, section 4.1.3)."""
        host = urlsplit(self.url).hostname or "localhost"
        address = address_of(host)
        if address is None:
            return host
        return f"[IPv6:{address}]" if address.version == 6 else f"[{address}]"  # noqa: PLR2004 - the version is called so


def invitation(sender: Sender, *, to: str, asked_by: str, link: str, until: Instant) -> Content:
    """Choose the first password."""
    opening = f"{asked_by} invites you to {sender.name} ({sender.url}), where you sign in to applications and get certificates."
    what = "Open this link to choose your password:"
    return Content(to, f"Your invitation to {sender.name}", _text(sender, to, opening, what, link, until))


def reset(sender: Sender, *, to: str, asked_by: str, link: str, until: Instant) -> Content:
    """Choose a new password."""
    opening = f"{asked_by} made a link with which you set a new password for {sender.name} ({sender.url})."
    what = "Open it to choose one:"
    return Content(to, f"Set a new password for {sender.name}", _text(sender, to, opening, what, link, until))


def verification(sender: Sender, *, to: str, account: str, address: str, link: str, until: Instant) -> Content:
    """Confirm an address."""
    end = to_datetime(until)
    text = f"""Hello {to},

the account {account} at {sender.name} ({sender.url}) has the address {address}.

Open this link and sign in to {account} to confirm that it is yours:

    {link}

It works once, until {end.day} {end:%b %Y, %H:%M} UTC.

If this is not your account, do not open the link: someone has mistyped their address. Nothing changes as long as it is not used.
"""
    return Content(to, f"Confirm your e-mail address for {sender.name}", text)


def approval_waits(sender: Sender, *, to: str, asked_by: str, title: str, link: str, until: Instant) -> Content:
    """Tell someone who may decide that something waits for approval."""
    end = to_datetime(until)
    text = f"""Hello {to},

{asked_by} asks {sender.name} ({sender.url}) for something that needs approval, and you are one of those who may decide about it:

    {title}

Open this page to see exactly what is asked for, and to approve or reject it:

    {link}

It waits until {end.day} {end:%b %Y, %H:%M} UTC. Nothing is done before it is approved, and the page asks you to sign in.
"""
    return Content(to, f"Waits for approval: {title}", text)


def approval_decided(sender: Sender, *, to: str, asked_by: str, title: str, outcome: str, next_step: str, link: str) -> Content:
    """Tell a requester what became of a request."""
    text = f"""Hello {to},

what {asked_by} asked {sender.name} ({sender.url}) for {outcome}:

    {title}

{next_step} This page says who decided what:

    {link}
"""
    return Content(to, f"{title}: {outcome}", text)


def _text(sender: Sender, to: str, opening: str, what: str, link: str, until: Instant) -> str:
    end = to_datetime(until)
    whom = f"tell {sender.contact}" if sender.contact else f"tell the people who run {sender.name}"
    return f"""Hello {to},

{opening}

{what}

    {link}

It works once, until {end.day} {end:%b %Y, %H:%M} UTC. Anyone who has it can choose the password: do not pass it on.

If you did not expect this message, do not open the link, and {whom}. Nothing changes as long as it is not used.
"""


def message(
    content: Content, *, message_id: str, sender: Sender, from_: str, reply_to: str, to: str, at: Instant
) -> EmailMessage:
    """The message as it is sent. A header that would hold a line break raises ValueError."""
    made = EmailMessage(policy=SMTP)
    made["From"] = _address(from_, sender.name)
    made["To"] = _address(to, content.recipient_name)
    if reply_to:
        made["Reply-To"] = _address(reply_to)
    made["Subject"] = content.subject
    made["Date"] = format_datetime(to_datetime(at))
    made["Message-ID"] = f"<{message_id}@{from_.rpartition('@')[2]}>"
    made["Auto-Submitted"] = "auto-generated"  # so that no out-of-office answer comes back (RFC 3834)
    made.set_content(content.text)
    return made


def _address(address: str, name: str = "") -> Address:
    local, _, host = address.rpartition("@")
    return Address(name, local, host)
