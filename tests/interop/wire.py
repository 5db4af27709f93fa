"""Requests straight to a live server: over a connection that is kept alive, or byte by byte; and what `step` would send."""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import json
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.live import PATIENCE, PROVISIONER_PASSWORD, TOOLS, LiveServer, run


@dataclass(frozen=True)
class Answer:
    """One answer, whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Line:
    """A connection that stays open from one request to the next; made anew only when `connect` is called."""

    def __init__(
        self, origin: str, trust: Path, *, certificate: tuple[Path, Path] | None = None, seconds: float = PATIENCE
    ) -> None:
        parts = urlsplit(origin)
        self._where = (parts.hostname or "", parts.port)
        self._context = None
        if parts.scheme == "https":
            self._context = ssl.create_default_context(cafile=str(trust))
            if certificate is not None:
                self._context.load_cert_chain(*certificate)
        self._seconds = seconds
        self.connect()

    def connect(self) -> None:
        host, port = self._where
        self.http: http.client.HTTPConnection = (
            http.client.HTTPSConnection(host, port, context=self._context, timeout=self._seconds)
            if self._context is not None
            else http.client.HTTPConnection(host, port, timeout=self._seconds)
        )
        self.http.connect()

    @property
    def served(self) -> x509.Certificate:
        """The certificate that the server showed when this connection was made."""
        secured = self.http.sock
        assert isinstance(secured, ssl.SSLSocket)
        return x509.load_der_x509_certificate(secured.getpeercert(binary_form=True) or b"")

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """A request and its answer. `body` is bytes, or a value to be sent as JSON; headers are written with underscores."""
        assert self.http.sock is not None, "the server closed the connection"
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            sent.setdefault("content-type", "application/json")
        self.http.request(method, path, body, sent)
        answer = self.http.getresponse()
        content = answer.read()
        return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, content)

    def close(self) -> None:
        self.http.close()


@contextlib.contextmanager
def line(origin: str, trust: Path, **more: Any) -> Iterator[Line]:
    """A `Line`, closed afterwards."""
    opened = Line(origin, trust, **more)
    try:
        yield opened
    finally:
        opened.close()


def exchange(origin: str, trust: Path, request: bytes, *, seconds: float = PATIENCE) -> bytes:
    """Send these bytes over a connection of their own; everything that comes back until the server closes it."""
    parts = urlsplit(origin)
    answer = bytearray()
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=seconds) as plain:
        context = ssl.create_default_context(cafile=str(trust))
        secured = context.wrap_socket(plain, server_hostname=parts.hostname) if parts.scheme == "https" else plain
        with secured:
            with contextlib.suppress(OSError):  # refused before everything was sent: what it says still counts
                secured.sendall(request)
            while True:
                try:
                    piece = secured.recv(65_536)
                except (ConnectionResetError, ssl.SSLEOFError):
                    break
                if not piece:
                    break
                answer += piece
    return bytes(answer)


def new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def signing_request(key: ec.EllipticCurvePrivateKey, name: str, *names: str) -> str:
    """A signing request, by default for `name` alone; for nothing where that is empty."""
    subject = x509.Name([x509.NameAttribute(x509.OID_COMMON_NAME, name)] if name else [])
    san = x509.SubjectAlternativeName([_general_name(each) for each in (names or (name,))])
    made = x509.CertificateSigningRequestBuilder().subject_name(subject)
    if name or names:
        made = made.add_extension(san, critical=False)
    return made.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()


def _general_name(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        pass
    if "://" in text:
        return x509.UniformResourceIdentifier(text)
    return x509.RFC822Name(text) if "@" in text else x509.DNSName(text)


def write_key(file: Path, key: ec.EllipticCurvePrivateKey) -> Path:
    file.touch(mode=0o600)
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return file


def server_certificate(server: LiveServer, host: str, name: str) -> tuple[Path, Path]:
    """Files with a certificate of our CA for a program on `host`, and its key."""
    requester = Requester(server)
    with line(server.machines, server.root) as opened:
        signed = opened.send("POST", "/sign", requester.sign_body(host)).json()
    chain = server.file(f"{name}.crt", "".join(signed["certChain"]))
    return chain, write_key(server.place / f"{name}.key", requester.key)


def provisioners(server: LiveServer, prefix: str = "") -> list[dict[str, Any]]:
    """Every provisioner, page by page, as `step` reads them."""
    found: list[dict[str, Any]] = []
    cursor = ""
    with line(server.machines, server.root) as opened:
        while True:
            page = opened.send("GET", f"{prefix}/provisioners?limit=7&cursor={cursor}").json()
            found += page["provisioners"]
            cursor = page["nextCursor"]
            if not cursor:
                return found


class Requester:
    """Anyone who knows the password of a JWK provisioner, and asks for certificates as `step` does."""

    def __init__(self, server: LiveServer, *, provisioner: str = "first", password: str = PROVISIONER_PASSWORD) -> None:
        self._server = server
        self._name = provisioner
        self._password = password
        self.key = new_key()

    @cached_property
    def _provisioner(self) -> tuple[str, Any]:
        found = next(each for each in provisioners(self._server) if each["name"] == self._name)
        password = self._server.file(f"{self._name}-password", self._password)
        command: list[str | Path] = [TOOLS / "step", "crypto", "jwe", "decrypt", "--password-file", password]
        done = run(command, environment=self._server.environment(), cwd=self._server.place, stdin=found["encryptedKey"])
        assert done.returncode == 0, done.stderr
        return found["key"]["kid"], jwt.PyJWK(json.loads(done.stdout))

    def token(self, name: str, *, path: str = "/1.0/sign", **changed: Any) -> str:
        """A token for one certificate; `changed` replaces claims."""
        kid, key = self._provisioner
        now = int(time.time())
        claims = {
            "iss": self._name,
            "sub": name,
            "aud": f"{self._server.machines}{path}",
            "sans": [name],
            "iat": now,
            "nbf": now,
            "exp": now + 300,
            "jti": uuid4().hex,
            **changed,
        }
        return jwt.encode(claims, key.key, algorithm="ES256", headers={"kid": kid})

    def sign_body(self, name: str, **changed: Any) -> dict[str, Any]:
        """What `POST /sign` takes."""
        return {"csr": signing_request(self.key, name), "ott": self.token(name, **changed)}
