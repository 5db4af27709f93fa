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
from sealwright.cli.return_page import BACK, NOT_ASKED, POLICY, Page, document_of

Accept = Callable[[Mapping[str, str]], bool]
"""Whether the parameters of a request are the answer that is waited for."""

_LONGEST_WAIT_FOR_A_LINE = 10
_LONGEST_WAIT_FOR_A_PAGE = 30
_LONGEST_WAIT_FOR_A_BROWSER = 5


class Loopback:
    """A listener on a loopback address for one answer. Use it as a context manager."""

    def __init__(self, host: str, port: int) -> None:
        """`port` 0 picks a free one."""
        self._answers: queue.Queue[dict[str, str]] = queue.Queue()
        self._pages: queue.Queue[Page] = queue.Queue()
        self._waits = threading.Event()  # a browser has brought the answer and is to be shown a page
        self._shown = threading.Event()
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

    def show(self, page: Page) -> None:
        """What the browser that brought the answer is shown. Until this is called it waits, as long as people have patience."""
        self._pages.put(page)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        if self._waits.is_set():
            self.show(BACK)  # where nothing else was said
            self._shown.wait(_LONGEST_WAIT_FOR_A_BROWSER)  # the program may end before its page has reached the browser
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
                if not accepted or loopback._waits.is_set():
                    self._show(BACK if accepted else NOT_ASKED, 200 if accepted else 400)
                    return
                loopback._waits.set()
                loopback._answers.put(parameters)
                try:
                    page = loopback._pages.get(timeout=_LONGEST_WAIT_FOR_A_PAGE)
                except queue.Empty:
                    page = BACK
                try:
                    self._show(page, 200)
                finally:
                    loopback._shown.set()

            def _show(self, page: Page, status: int) -> None:
                body = document_of(page)
                self.send_response(status)
                for name, value in (
                    ("Content-Type", "text/html; charset=utf-8"),
                    ("Content-Length", str(len(body))),
                    ("Cache-Control", "no-store"),
                    ("Content-Security-Policy", POLICY),
                    ("Referrer-Policy", "no-referrer"),
                    ("Connection", "close"),
                ):
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the parameter's name upstream
                """Say nothing: the address holds the code."""

        return Answer
