"""Waits on this machine for the browser to come back from a sign-in (RFC 8252, section 7.3)."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import parse_qsl, urlsplit

from sealwright.cli.errors import CommandFailed

Accept = Callable[[Mapping[str, str]], bool]
"""Whether the parameters of a request are the answer that is waited for."""

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="color-scheme" content="light dark">
<meta name="viewport" content="width=device-width"><title>{title}</title></head>
<body><h1>{title}</h1><p>{text}</p></body></html>
"""
_DONE = ("Back to the terminal", "This window can be closed. The terminal says how it went.")
_NOT_ASKED = ("Not what was expected", "This address waits for a sign-in that a command in your terminal began.")
_LONGEST_WAIT_FOR_A_LINE = 10


class Loopback:
    """A listener on a loopback address for one answer. Use it as a context manager."""

    def __init__(self, host: str, port: int) -> None:
        """`port` 0 picks a free one."""
        self._answers: queue.Queue[dict[str, str]] = queue.Queue()
        self._accept: Accept = lambda _: False
        try:
            self._server = ThreadingHTTPServer((host, port), self._handler())
        except OSError as cause:
            reason = (cause.strerror or "").lower()
            raise CommandFailed(
                f"{host}:{port} cannot be listened on: {reason}.", hint="The provisioner names this address (listenAddress)."
            ) from cause
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return int(self._server.server_address[1])

    def wait(self, accept: Accept, seconds: float) -> dict[str, str] | None:
        """The parameters of the first request that `accept` takes, or None when time is up."""
        self._accept = accept
        try:
            return self._answers.get(timeout=seconds)
        except queue.Empty:
            return None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        loopback = self

        class Answer(BaseHTTPRequestHandler):
            timeout = _LONGEST_WAIT_FOR_A_LINE

            def do_GET(self) -> None:
                target = urlsplit(self.path)
                parameters = dict(parse_qsl(target.query))
                accepted = target.path in ("", "/") and loopback._accept(parameters)
                try:
                    self._show(accepted)
                finally:  # only now, or the program may end before its page has reached the browser
                    if accepted:
                        loopback._answers.put(parameters)

            def _show(self, accepted: bool) -> None:
                title, text = _DONE if accepted else _NOT_ASKED
                body = _PAGE.format(title=title, text=text).encode()
                self.send_response(200 if accepted else 400)
                for name, value in (
                    ("Content-Type", "text/html; charset=utf-8"),
                    ("Content-Length", str(len(body))),
                    ("Cache-Control", "no-store"),
                    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
                    ("Referrer-Policy", "no-referrer"),
                    ("Connection", "close"),
                ):
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the parameter's name upstream
                """Say nothing: the address holds the code."""

        return Answer
