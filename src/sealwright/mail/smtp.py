"""The conversation with the SMTP server, on a thread: TLS that is verified or none at all, and a limit to its time."""

from __future__ import annotations

import asyncio
import smtplib
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from email.message import EmailMessage
from typing import TypeVar

from sealwright.clock import in_words
from sealwright.mail.errors import MailRejected, MailServerUnusable, MailUndelivered
from sealwright.mail.policy import LONGEST_SENDING, reply_text
from sealwright.secret_files import read_secret_line
from sealwright.settings import MailSettings

T = TypeVar("T")

STEP_SECONDS = 15.0
"""For each thing that is waited for: the connection, a reply."""
_WHERE = "Look at mail.host and mail.port in settings.toml."
_HOW = "Look at mail.port and mail.tls in settings.toml: 587 is usual with starttls, and 465 with implicit."
_PERMANENT = 500
_NOT_SIGNED_IN = frozenset({530, 534, 535, 538})
"""Replies that are about the settings, and not about the message (RFC 4954, section 6)."""


class SmtpServer:
    """The server of the settings."""

    def __init__(self, settings: MailSettings, hello: str, longest: timedelta = LONGEST_SENDING) -> None:
        """`hello`: what this machine calls itself there. `longest`: after that a conversation is cut off."""
        self._longest = longest
        self._settings = settings
        self._hello = hello
        self._place = f"{settings.host}:{settings.port_used}"

    async def send(self, message: EmailMessage, *, from_: str, to: str) -> None:
        """Hand a message over. Raises MailUndelivered where it is worth another try, else MailRefusedForGood."""
        await _on_thread(lambda: self._converse(lambda smtp: self._hand_over(smtp, message, from_, to)))

    async def check(self) -> str:
        """Connect and sign in, as for a message; what was found, in words. Raises MailServerUnusable."""
        return await _on_thread(lambda: self._converse(self._look))

    def _converse(self, talk: Callable[[smtplib.SMTP], T]) -> T:
        settings = self._settings
        try:
            password = read_secret_line(settings.password_file) if settings.password_file is not None else ""
        except ValueError as cause:
            raise MailServerUnusable(f"The file {settings.password_file} (mail.password_file) {cause}.") from cause
        connection: _Connection | None = None
        try:
            context = self._context() if settings.tls in ("starttls", "implicit") else None
            connection = _Connection(settings, self._hello, context, self._longest)
            connection.open()
            if settings.tls == "starttls":
                connection.starttls(context=context)
            connection.ehlo_or_helo_if_needed()
            if settings.username:
                connection.login(settings.username, password)
            return talk(connection)
        except (OSError, ValueError) as cause:  # all of smtplib and ssl are OSErrors
            raise self._explained(cause, cut=connection is not None and connection.was_cut) from cause
        finally:
            if connection is not None:
                connection.end()

    def _context(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        if self._settings.ca_file is not None:
            context.load_verify_locations(cafile=self._settings.ca_file)
        return context

    def _look(self, smtp: smtplib.SMTP) -> str:
        smtp.noop()
        how = {"starttls": "STARTTLS", "implicit": "TLS"}.get(self._settings.tls, "no TLS")
        return f"{self._place} answers, {how}{', signed in' if self._settings.username else ''}"

    def _hand_over(self, smtp: smtplib.SMTP, message: EmailMessage, from_: str, to: str) -> None:
        try:
            smtp.send_message(message, from_, [to])
        except smtplib.SMTPRecipientsRefused as cause:
            code, reply = next(iter(cause.recipients.values()))
            raise self._refused(code, reply, f"the address {to}") from cause
        except smtplib.SMTPSenderRefused as cause:
            raise self._refused(cause.smtp_code, cause.smtp_error, f"mail from {from_}") from cause
        except smtplib.SMTPDataError as cause:
            raise self._refused(cause.smtp_code, cause.smtp_error, "the message") from cause

    def _refused(self, code: int, reply: bytes | str, what: str) -> MailUndelivered | MailRejected:
        detail = f"{self._place} refused {what}: {reply_text(code, reply)}"
        if code >= _PERMANENT and code not in _NOT_SIGNED_IN:
            return MailRejected(detail)
        return MailUndelivered(detail)

    def _explained(self, cause: Exception, *, cut: bool) -> MailServerUnusable:
        """What went wrong before there was a message, in words, and what to do about it."""
        if cut:
            return MailServerUnusable(f"{self._place} took longer than {in_words(self._longest)}.")
        if isinstance(cause, smtplib.SMTPNotSupportedError):
            what = "signing in (mail.username)" if "AUTH" in str(cause) else "STARTTLS"
            return MailServerUnusable(f"{self._place} does not offer {what}.", hint=_HOW)
        if isinstance(cause, smtplib.SMTPResponseException):
            return self._of_reply(cause)
        if isinstance(cause, ssl.SSLError):
            return self._of_tls(cause)
        return MailServerUnusable(f"{self._place} cannot be used: {_why(cause)}.", hint=_WHERE)

    def _of_reply(self, cause: smtplib.SMTPResponseException) -> MailServerUnusable:
        said = reply_text(cause.smtp_code, cause.smtp_error)
        if not isinstance(cause, smtplib.SMTPAuthenticationError):
            return MailServerUnusable(f"{self._place} said {said}", hint=_WHERE)
        detail = f"{self._place} refused the user name {self._settings.username} or its password: {said}"
        hint = "Correct mail.username in settings.toml, or what is in the file of mail.password_file."
        return MailServerUnusable(detail, hint=hint)

    def _of_tls(self, cause: ssl.SSLError) -> MailServerUnusable:
        if isinstance(cause, ssl.SSLCertVerificationError):
            detail = f"The certificate of {self._place} is not trusted: {cause.verify_message.rstrip('.')}."
            return MailServerUnusable(detail, hint="Set mail.host to a name in that certificate, and mail.ca_file to its root.")
        return MailServerUnusable(f"{self._place} does not speak TLS as mail.tls = {self._settings.tls} needs it.", hint=_HOW)


def _why(cause: Exception) -> str:
    if type(cause) is smtplib.SMTPException:
        return "it offers no way of signing in that is known here"
    if isinstance(cause, socket.gaierror):
        return "the host name is not known"
    if isinstance(cause, TimeoutError):
        return "there was no answer in time"
    if isinstance(cause, ConnectionRefusedError):
        return "no one listens there"
    return "the connection was lost"


class _Connection(smtplib.SMTP):
    """A connection that is cut when its time is over, whatever the server sends meanwhile."""

    def __init__(self, settings: MailSettings, hello: str, context: ssl.SSLContext | None, longest: timedelta) -> None:
        super().__init__(local_hostname=hello, timeout=STEP_SECONDS)
        self._host = settings.host  # what the certificate must be for, also after STARTTLS
        self._port = settings.port_used
        self._from_the_start = context if settings.tls == "implicit" else None
        self._handle: socket.socket | None = None
        self.was_cut = False
        self._timer = threading.Timer(longest.total_seconds(), self._cut)
        self._timer.daemon = True

    def open(self) -> None:
        """Connect, and read the greeting."""
        self._timer.start()
        code, greeting = self.connect(self._host, self._port)
        if code != 220:  # noqa: PLR2004 - the one greeting that welcomes (RFC 5321, section 4.2)
            raise smtplib.SMTPConnectError(code, greeting)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        plain = socket.create_connection((host, port), timeout)
        self._handle = plain.dup()  # leads to the same connection, whatever wraps it in TLS later
        return plain if self._from_the_start is None else self._from_the_start.wrap_socket(plain, server_hostname=host)

    def _cut(self) -> None:
        self.was_cut = True
        if self._handle is not None:
            with suppress(OSError):
                self._handle.shutdown(socket.SHUT_RDWR)

    def end(self) -> None:
        """Send QUIT and close. What fails here changes nothing of what was done."""
        with suppress(OSError):
            if self.sock is not None:
                self.quit()
        self.close()
        self._timer.cancel()
        if self._handle is not None:
            self._handle.close()


async def _on_thread(work: Callable[[], T]) -> T:
    """Run `work` on a thread of its own, which no end of the process waits for."""
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[T] = loop.create_future()

    def settle(set_it: Callable[[], None]) -> None:
        if not outcome.done():
            set_it()

    def run() -> None:
        try:
            result = work()
        except BaseException as failure:  # noqa: BLE001 - raised where the result is awaited
            carried = failure
            tell = lambda: outcome.set_exception(carried)  # noqa: E731 - one of two short ways to settle
        else:
            tell = lambda: outcome.set_result(result)  # noqa: E731 - as above
        with suppress(RuntimeError):  # the loop ended meanwhile
            loop.call_soon_threadsafe(settle, tell)

    threading.Thread(target=run, name="mail", daemon=True).start()
    return await outcome
