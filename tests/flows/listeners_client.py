"""Starts the test program and speaks to it byte by byte."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from tests.flows.listeners_certificates import TestAuthority

ROOT = Path(__file__).parents[2]
PATIENCE = 30.0


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Peer:
    """One connection to a listener."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self._read = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.socket.close()

    def send(self, data: bytes | str) -> None:
        self.socket.sendall(data.encode() if isinstance(data, str) else data)

    def ask(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
        """Send a plain request and read the answer."""
        fields = {"Host": "localhost", **({"Content-Length": str(len(body))} if body else {}), **(headers or {})}
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        self.send(f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode() + body)
        return self.answer(bodiless=method == "HEAD")

    def answer(self, *, bodiless: bool = False) -> Answer:
        """Read one answer."""
        head = self._until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        status = int(head[0].split(" ")[1])
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
        body = b""
        if not bodiless and status not in (100, 204, 304):
            body = self._chunks() if "transfer-encoding" in headers else self._exactly(int(headers["content-length"]))
        return Answer(status, headers, body)

    def _chunks(self) -> bytes:
        found = b""
        while size := int(self._until(b"\r\n"), 16):
            found += self._exactly(size)
            assert self._exactly(2) == b"\r\n"
        assert self._exactly(2) == b"\r\n"
        return found

    def is_closed(self) -> bool:
        """Wait until the server closes; False when it sends something or keeps the connection."""
        if self._read:
            return False
        try:
            return self.socket.recv(1) == b""
        except (ConnectionResetError, ssl.SSLError):
            return True
        except TimeoutError:
            return False

    def _until(self, mark: bytes) -> bytes:
        while mark not in self._read:
            self._more()
        found, _, self._read = self._read.partition(mark)
        return found + mark

    def _exactly(self, size: int) -> bytes:
        while len(self._read) < size:
            self._more()
        found, self._read = self._read[:size], self._read[size:]
        return found

    def _more(self) -> None:
        data = self.socket.recv(65_536)
        if not data:
            raise ConnectionError(f"closed after {self._read!r}")
        self._read += data


class RunningProgram:
    """The test program in a process of its own."""

    def __init__(
        self, directory: Path, *, environment: Mapping[str, str] | None = None, open_files: int = 0, **settings: Any
    ) -> None:
        self.directory = directory
        self.authority = TestAuthority()
        self.authority.furnish(directory)
        self.choose(**settings)
        limited = ["sh", "-c", 'ulimit -n "$0" && exec "$@"', str(open_files)] if open_files else []
        self._process = subprocess.Popen(
            [*limited, sys.executable, "-m", "tests.flows.listeners_program", str(directory)],
            cwd=ROOT,
            env={**os.environ, **(environment or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._log: list[str] = []
        self._reader = threading.Thread(target=self._collect, daemon=True)
        self._reader.start()
        assert self._process.stdout is not None
        announced = self._process.stdout.readline()
        self.urls: dict[str, str] = json.loads(announced) if announced else {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._process.poll() is None:
            self._process.terminate() if kind is None else self._process.kill()
            try:
                self._process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._reader.join(PATIENCE)
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()

    @property
    def pid(self) -> int:
        return self._process.pid

    def choose(self, **settings: Any) -> None:
        """Write the settings file."""
        (self.directory / "settings.json").write_text(json.dumps(settings))

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def ended(self) -> int:
        """Wait for the end; the exit status."""
        status = self._process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        return status

    def log(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in list(self._log) if line.startswith("{")]

    def messages(self) -> str:
        return "".join(self._log)

    def logged(self, event: str, **fields: Any) -> dict[str, Any]:
        """Wait for a log line."""
        wanted = {"event": event, **fields}
        found: dict[str, Any] = wait_for(
            lambda: next((line for line in self.log() if wanted.items() <= _flat(line)), None), event
        )
        return found

    def port(self, listener: str) -> int:
        port = urlsplit(self.urls[listener]).port
        assert port is not None
        return port

    def connect(self, listener: str = "people", context: ssl.SSLContext | None = None, **options: Any) -> Peer:
        plain = socket.create_connection(("127.0.0.1", self.port(listener)), timeout=PATIENCE)
        if listener == "status":
            return Peer(plain)
        try:
            return Peer((context or self.client_context()).wrap_socket(plain, server_hostname="localhost", **options))
        except BaseException:
            plain.close()
            raise

    def client_context(self, certificate: tuple[bytes, bytes] | None = None) -> ssl.SSLContext:
        context = ssl.create_default_context(cadata=self.authority.root_pem.decode())
        if certificate is not None:
            file = self.directory / "presented.pem"
            file.write_bytes(b"".join(certificate))
            context.load_cert_chain(file)
        return context

    def _collect(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self._log.append(line)


def _flat(line: dict[str, Any]) -> Any:
    return {name: value for name, value in line.items() if not isinstance(value, list)}.items()


def wait_for(condition: Any, what: str) -> Any:
    """Poll until `condition` answers something true."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"waited in vain for {what}")
