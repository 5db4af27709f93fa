"""A foreign OpenID provider over real TLS, which answers as a test wants: rightly, slowly, wrongly or not at all."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt

from tests.interop.wire import new_key, server_certificate, signing_request
from tests.live import LiveServer

Say = Callable[[BaseHTTPRequestHandler], None]
HOST = "127.0.0.2"
"""Loopback too, and none of the names of the server, which certifies those for no one else."""
WELL_KNOWN = "/.well-known/openid-configuration"


def say(status: int, body: bytes = b"", **headers: str) -> Say:
    """An answer that is always the same."""

    def answer(asked: BaseHTTPRequestHandler) -> None:
        asked.send_response(status)
        for name, value in {"content-length": str(len(body)), **headers}.items():
            asked.send_header(name.replace("_", "-"), value)
        asked.end_headers()
        asked.wfile.write(body)

    return answer


def say_json(value: Any) -> Say:
    return say(200, json.dumps(value).encode(), content_type="application/json")


def drip(asked: BaseHTTPRequestHandler) -> None:
    """Byte after byte, and never an end."""
    asked.send_response(200)
    asked.end_headers()
    with suppress(OSError):
        while True:
            asked.wfile.write(b" ")
            time.sleep(0.2)


def stay_silent(asked: BaseHTTPRequestHandler) -> None:
    """Take the request and say nothing until the other side has gone."""
    asked.connection.settimeout(30)
    with suppress(OSError):
        asked.rfile.read(1)


class ForeignProvider:
    """Issuers are paths below one address; each has a key of its own."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.answers: dict[str, Say] = {}
        self.asked: list[str] = []
        self.keys: dict[str, Any] = {}

    def issuer(self, name: str) -> str:
        return f"{self.origin}/{name}"

    def add(self, name: str, **changed: Say) -> str:
        """An issuer that is as it should be but for `discovery` or `keys`; its discovery address."""
        issuer = self.issuer(name)
        metadata = {"issuer": issuer, "jwks_uri": f"{issuer}/keys", "id_token_signing_alg_values_supported": ["ES256"]}
        self.answers[f"/{name}{WELL_KNOWN}"] = changed.get("discovery", say_json(metadata))
        self.rotate(name)
        if "keys" in changed:
            self.answers[f"/{name}/keys"] = changed["keys"]
        return f"{issuer}{WELL_KNOWN}"

    def rotate(self, name: str) -> None:
        """A new key, published in place of the old one."""
        key = new_key()
        kid = f"{name}-{time.monotonic_ns()}"
        self.keys[name] = (kid, key)
        public = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(key.public_key()))
        self.answers[f"/{name}/keys"] = say_json({"keys": [{**public, "kid": kid, "use": "sig", "alg": "ES256"}]})

    def token(self, name: str, *, header: dict[str, Any] | None = None, **changed: Any) -> str:
        """An ID token for dora; a claim that is changed to None is left out."""
        kid, key = self.keys[name]
        now = int(time.time())
        claims = {
            "iss": self.issuer(name),
            "aud": name,
            "sub": "dora-1",
            "email": "dora@example.net",
            "email_verified": True,
            "preferred_username": "dora",
            "nonce": f"{time.monotonic_ns()}",
            "iat": now,
            "exp": now + 300,
            **changed,
        }
        kept = {claim: value for claim, value in claims.items() if value is not None}
        return jwt.encode(kept, key, algorithm="ES256", headers={"kid": kid, **(header or {})})


@contextmanager
def foreign_provider(server: LiveServer) -> Iterator[ForeignProvider]:
    """A running provider whose certificate comes from the CA of `server`, which trusts that root for its calls."""
    provider = ForeignProvider("")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            provider.asked.append(self.path)
            provider.answers.get(self.path, say(404))(self)

        def log_message(self, *_: object) -> None:
            pass

    class Listener(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            pass  # connections that the other side gives up are what is tested

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*server_certificate(server, HOST, "foreign"))
    listener = Listener((HOST, 0), Handler)
    listener.socket = context.wrap_socket(listener.socket, server_side=True)
    provider.origin = f"https://{HOST}:{listener.server_address[1]}"
    thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        listener.shutdown()
        listener.server_close()
        thread.join(5)


def request_for(*names: str) -> str:
    """A signing request with a key of its own."""
    return signing_request(new_key(), names[0] if names else "", *names)


def pem_of(answer: Any) -> bytes:
    certificate: bytes = answer.json()["crt"].encode()
    return certificate
