"""A real SMTP server on a free port of this machine that keeps what it is sent, and refuses what it is told to refuse."""

from __future__ import annotations

import base64
import email
import email.policy
import socket
import socketserver
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path

from tests.flows.listeners_certificates import TestAuthority


@dataclass(frozen=True)
class Taken:
    """One message with its envelope."""

    sender: str
    recipient: str
    raw: bytes
    user: str
    over_tls: bool

    @property
    def message(self) -> EmailMessage:
        return email.message_from_bytes(self.raw, policy=email.policy.default)

    @property
    def text(self) -> str:
        return str(self.message.get_content())


@dataclass
class Sink:
    """What the server does, which a test may change at any time, and what it was sent."""

    tls: str = "none"
    context: ssl.SSLContext | None = None
    user: tuple[str, str] | None = None
    """Name and password, where one must sign in."""
    replies: dict[str, list[str]] = field(default_factory=dict)
    """Verb → what is answered in place of the usual, one after the other. ``GREETING`` comes first of all."""
    taken: list[Taken] = field(default_factory=list)
    connections: int = 0
    pause: threading.Event | None = None
    """Where there is one, each message waits for it before it is taken."""
    reached: threading.Event = field(default_factory=threading.Event)
    """A message came in, and waits or is taken."""
    port: int = 0
    passwords: list[str] = field(default_factory=list)
    ca_file: Path | None = None


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    sink: Sink

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away is not a fault of the sink."""


class _Conversation(socketserver.StreamRequestHandler):
    server: _Server
    over_tls = False
    user = ""
    sender = ""
    recipient = ""

    def handle(self) -> None:
        sink = self.server.sink
        sink.connections += 1
        if sink.tls == "implicit":
            self._protect()
        if not self._say("GREETING", "220 sink ESMTP"):
            return
        while line := self.rfile.readline(4_096):
            verb, _, rest = line.decode("latin-1").rstrip("\r\n").partition(" ")
            if not self._answer(verb.upper(), rest):
                return

    def finish(self) -> None:
        with suppress(OSError):
            super().finish()
        self.request.close()

    def _protect(self) -> None:
        assert self.server.sink.context is not None
        self.rfile.close()
        self.wfile.close()
        self.request = self.server.sink.context.wrap_socket(self.request, server_side=True)
        self.rfile, self.wfile = self.request.makefile("rb"), self.request.makefile("wb", 0)
        self.over_tls = True

    def _say(self, verb: str, usual: str) -> bool:
        """Send a reply; false where it is one of refusal."""
        planned = self.server.sink.replies.get(verb)
        reply = planned.pop(0) if planned else usual
        self.wfile.write(f"{reply}\r\n".encode())
        return reply[:1] in "23"

    def _answer(self, verb: str, rest: str) -> bool:
        """Answer one line; false ends the conversation."""
        sink = self.server.sink
        if verb == "EHLO":
            offers = ["sink", "8BITMIME", "SMTPUTF8"]
            offers += ["STARTTLS"] if sink.tls == "starttls" and not self.over_tls else []
            offers += ["AUTH PLAIN"] if sink.user and (self.over_tls or sink.tls == "none") else []
            lines = [f"250{' ' if at == len(offers) - 1 else '-'}{each}" for at, each in enumerate(offers)]
            self._say(verb, "\r\n".join(lines))
        elif verb == "STARTTLS":
            if self._say(verb, "220 go ahead"):
                self._protect()
        elif verb == "AUTH":
            self._sign_in(rest)
        elif verb == "MAIL":
            self.sender = rest[rest.index("<") + 1 : rest.index(">")]
            self._say(verb, "250 ok" if self.user or not sink.user else "530 5.7.0 sign in first")
        elif verb == "RCPT":
            self.recipient = rest[rest.index("<") + 1 : rest.index(">")]
            self._say(verb, "250 ok")
        elif verb == "DATA":
            self._data()
        elif verb == "QUIT":
            self._say(verb, "221 bye")
            return False
        else:
            self._say(verb, "250 ok")
        return True

    def _sign_in(self, rest: str) -> None:
        _, name, password = base64.b64decode(rest.partition(" ")[2]).decode().split("\0")
        self.server.sink.passwords.append(password)
        right = (name, password) == self.server.sink.user
        self.user = name if self._say("AUTH", "235 welcome" if right else "535 5.7.8 wrong") else ""

    def _data(self) -> None:
        if not self._say("DATA", "354 go on"):
            return
        lines: list[bytes] = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line.removeprefix(b"."))
        sink = self.server.sink
        sink.reached.set()
        if sink.pause is not None:
            sink.pause.wait(60)
        taken = Taken(self.sender, self.recipient, b"".join(lines), self.user, self.over_tls)
        if sink.replies.get("MESSAGE"):
            self._say("MESSAGE", "")
            return
        sink.taken.append(taken)
        self._say("TAKEN", "250 taken")


@contextmanager
def smtp_sink(
    directory: Path,
    *,
    tls: str = "none",
    user: tuple[str, str] | None = None,
    port: int = 0,
    host: str = "127.0.0.1",
    trusted: bool = True,
) -> Iterator[Sink]:
    """A running sink. Its root, or without `trusted` another, is in `ca_file`."""
    sink = Sink(tls=tls, user=user)
    if tls != "none":
        authority = TestAuthority()
        authority.furnish(directory)
        sink.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        sink.context.load_cert_chain(directory / "server.pem", directory / "server.key")
        sink.ca_file = directory / "mail-roots.pem"
        sink.ca_file.write_bytes((authority if trusted else TestAuthority("Another Root")).root_pem)
    with _Server((host, port), _Conversation) as server:
        server.sink = sink
        sink.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield sink
        finally:
            server.shutdown()
            thread.join()


class _Dripping(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        with suppress(OSError):
            while True:
                self.request.sendall(b"220-wait\r\n")
                time.sleep(0.02)


@contextmanager
def dripping_server() -> Iterator[int]:
    """A port where a greeting begins at once and never ends."""
    with _Server(("127.0.0.1", 0), _Dripping) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()


@contextmanager
def silent_server() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]
