"""Measure what machines ask for, beside oidc-provider of npm, both in turn; print the ratios, write build/bench-machines.json.

``python -m bench.machines [--seconds N] [--rounds N] [--connections N] [--only WORD] [--workers N] [--stored N]``. Both run over
TLS; theirs is one process that keeps its state in memory, ours one worker unless `--workers` says more (an installed server
has one for each processor), on disk, durably. With `--stored N`, only our registration and look-up are measured,
with ten registered clients and with N more.
"""

from __future__ import annotations

import argparse
import json
import os
import ssl
import statistics
import tempfile
import time
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from bench import oidc_provider, subject
from bench.ceiling import signatures_ceiling
from bench.inventory import fill_clients
from bench.load import FORM, Figure, apache_bench, write_results, wrk
from bench.processes import processor_seconds, workers_of
from bench.provider import openid_provider
from bench.workload import b64, sign_jwt

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
MOST = 20_000
FASTEST = 6_000
CERTIFIED = "renew.bench.example.org"
"""The name in the certificate that `subject.client_certificate` gets."""
Measure = Callable[[float, int], Figure]
RATIOS = (
    ("secret", "sealwright", "secret", "oidc-provider, opaque", 1.0),
    ("secret", "sealwright", "secret", "oidc-provider, RS256", 2.0),
    ("certificate, kept alive", "sealwright", "certificate, kept alive", "oidc-provider, opaque", 1.0),
    ("certificate, kept alive", "sealwright", "certificate, kept alive", "oidc-provider, RS256", 2.0),
    ("certificate, new connections", "sealwright", "certificate, new connections", "oidc-provider, opaque", 1.3),
    ("private_key_jwt", "sealwright", "private_key_jwt", "oidc-provider, opaque", 1.0),
    ("DPoP", "sealwright", "secret", "sealwright", 0.5),
    ("DPoP", "sealwright", "DPoP", "oidc-provider, opaque", None),
    ("pushed request", "sealwright", "pushed request", "oidc-provider, opaque", None),
    ("registration", "sealwright", "registration", "oidc-provider, opaque", None),
)
"""A row and its server, the row and server that it is compared with, and how many times that it should be."""
MACHINE = {
    "redirect_uris": [],
    "response_types": [],
    "grant_types": ["client_credentials"],
    "token_endpoint_auth_method": "client_secret_post",
}


def jwk_of(key: ec.EllipticCurvePrivateKey) -> dict[str, str]:
    point = key.public_key().public_numbers()
    return {"kty": "EC", "crv": "P-256", "x": b64(point.x.to_bytes(32, "big")), "y": b64(point.y.to_bytes(32, "big"))}


def proof(key: ec.EllipticCurvePrivateKey, jwk: Mapping[str, str], url: str) -> str:
    """A DPoP proof for a POST."""
    header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": jwk}
    claims = {"jti": os.urandom(16).hex(), "htm": "POST", "htu": url, "iat": int(time.time())}
    message = ".".join(b64(json.dumps(each).encode()) for each in (header, claims))
    r, s = decode_dss_signature(key.sign(message.encode(), ec.ECDSA(hashes.SHA256())))
    return message + "." + b64(r.to_bytes(32, "big") + s.to_bytes(32, "big"))


class Server:
    """One server and how its endpoints are reached."""

    def __init__(self, people: str, machines: str, paths: Mapping[str, str], pem: Path, key: ec.EllipticCurvePrivateKey) -> None:
        self.people, self.machines, self.paths, self.pem, self.key = people, machines, paths, pem, key

    def forms(self, path: str, fields: dict[str, str]) -> Measure:
        bodies = [urlencode(fields)] * MOST
        return lambda seconds, connections: wrk(
            path, self.people, self.paths[path], bodies=bodies, content_type=FORM, seconds=seconds, connections=connections
        )

    def by_certificate(self, fields: dict[str, str], *, kept_alive: bool) -> Measure:
        url, form = self.machines + self.paths["token"], urlencode(fields)
        return lambda seconds, connections: apache_bench(
            url, url, certificate=self.pem, seconds=seconds, connections=connections, form=form,
            kept_alive=kept_alive,
        )  # fmt: skip

    def by_assertion(self, client: str, audience: str, fields: dict[str, str]) -> Measure:
        """Assertions that are good once, made anew for each round."""

        def measure(seconds: float, connections: int) -> Figure:
            now = int(time.time())
            claims: dict[str, object] = {"iss": client, "sub": client, "aud": audience, "iat": now, "exp": now + 240}
            made = (sign_jwt(self.key, "bench", claims | {"jti": os.urandom(16).hex()}) for _ in range(_needed(seconds)))
            common = {**fields, "grant_type": "client_credentials", "client_id": client, "client_assertion_type": ASSERTION}
            bodies = [urlencode({**common, "client_assertion": each}) for each in made]
            path = self.paths["token"]
            return wrk(path, self.people, path, bodies=bodies, content_type=FORM, seconds=seconds, connections=connections)

        return measure

    def by_proof(self, fields: dict[str, str]) -> Measure:
        """A DPoP proof beside each request, made anew for each round."""

        def measure(seconds: float, connections: int) -> Figure:
            path, jwk = self.paths["token"], jwk_of(self.key)
            proofs = [proof(self.key, jwk, self.people + path) for _ in range(_needed(seconds))]
            bodies = [urlencode(fields)] * len(proofs)
            return wrk(
                path, self.people, path, bodies=bodies, content_type=FORM, seconds=seconds, connections=connections, proof=proofs
            )

        return measure

    def registrations(self, token: str) -> Measure:
        bodies = [json.dumps(MACHINE)] * MOST
        return lambda seconds, connections: wrk(
            "/reg", self.people, "/reg", bodies=bodies, seconds=seconds, connections=connections, proof=f"Bearer {token}"
        )

    def registered(self, token: str) -> dict[str, Any]:
        """Register one client."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.people}/reg", json.dumps(MACHINE).encode(), headers)
        with urllib.request.urlopen(request, context=context) as answer:
            found: dict[str, Any] = json.load(answer)
            return found


def _needed(seconds: float) -> int:
    return min(MOST, int(seconds * FASTEST))


def our_server(ours: subject.Subject, pem: Path, key: ec.EllipticCurvePrivateKey) -> Server:
    paths = {"token": "/oauth2/token", "push": "/oauth2/par"}
    return Server(ours.people, ours.url, paths, pem, key)


def registration_token(ours: subject.Subject) -> str:
    """One that lets in as many as a measurement registers."""
    return ours.run("system", "oauth2", "registration-token", "create", "--uses", "100000", "--expires", "2h").strip()


def rows_of_ours(ours: subject.Subject, server: Server) -> dict[str, Measure]:
    key_file = ours.place / "keys.json"
    key_file.write_text(json.dumps({"keys": [jwk_of(server.key) | {"kid": "bench"}]}))
    ways = {
        "bench-service": (),
        "bench-mtls": ("tls_client_auth", "--san-dns", CERTIFIED),
        "bench-key": ("private_key_jwt", "--jwks", str(key_file)),
        "bench-push": (),
    }
    for client, way in ways.items():
        ours.run("system", "oauth2", "create", client, client, "https://app.bench.example.org")
        ours.run("system", "oauth2", "update-scope-map", client, "bench_users", "read")
        if way:
            ours.run("system", "oauth2", "set-authentication", client, *way)
    ours.run("system", "oauth2", "add-redirect-url", "bench-push", subject.REDIRECT)

    def secret(client: str) -> dict[str, str]:
        return {"client_id": client, "client_secret": ours.run("system", "oauth2", "show-basic-secret", client).strip()}

    own = {**secret("bench-service"), "grant_type": "client_credentials"}
    mutual = {"client_id": "bench-mtls", "grant_type": "client_credentials"}
    pushed = {**secret("bench-push"), "response_type": "code", "redirect_uri": subject.REDIRECT, "scope": "read"}
    pushed |= {"code_challenge": subject.CHALLENGE, "code_challenge_method": "S256"}
    return {
        "secret": server.forms("token", own),
        "certificate, kept alive": server.by_certificate(mutual, kept_alive=True),
        "certificate, new connections": server.by_certificate(mutual, kept_alive=False),
        "private_key_jwt": server.by_assertion("bench-key", f"{ours.people}/oauth2/openid/bench-key", {}),
        "DPoP": server.by_proof(own),
        "pushed request": server.forms("push", pushed),
        "registration": server.registrations(registration_token(ours)),
    }


def rows_of_theirs(server: Server, secret: str) -> dict[str, dict[str, Measure]]:
    own = {"client_id": oidc_provider.CLIENT, "client_secret": secret, "grant_type": "client_credentials"}
    mutual = {"client_id": "bench-mtls", "grant_type": "client_credentials"}
    signed = {"scope": "read", "resource": f"{server.people}/api"}
    pushed = {"client_id": "bench-push", "client_secret": secret, "response_type": "code", "redirect_uri": subject.REDIRECT}
    pushed |= {"code_challenge": subject.CHALLENGE, "code_challenge_method": "S256", "scope": "read"}
    return {
        "oidc-provider, opaque": {
            "secret": server.forms("token", own),
            "certificate, kept alive": server.by_certificate(mutual, kept_alive=True),
            "certificate, new connections": server.by_certificate(mutual, kept_alive=False),
            "private_key_jwt": server.by_assertion("bench-key", server.people, {}),
            "DPoP": server.by_proof(own),
            "pushed request": server.forms("push", pushed),
            "registration": server.registrations(secret),
        },
        "oidc-provider, RS256": {
            "secret": server.forms("token", own | signed),
            "certificate, kept alive": server.by_certificate(mutual | signed, kept_alive=True),
        },
    }


def lookups(server: Server, token: str) -> Measure:
    """Tokens for 300 registered clients in turn, each looked up anew."""
    made = [server.registered(token) for _ in range(300)]
    forms = [{name: each[name] for name in ("client_id", "client_secret")} for each in made]
    bodies = [urlencode(each | {"grant_type": "client_credentials"}) for each in forms] * (MOST // 300)
    path = server.paths["token"]
    return lambda seconds, connections: wrk(
        path, server.people, path, bodies=bodies, content_type=FORM, seconds=seconds, connections=connections
    )


def measured(measures: dict[tuple[str, str], Measure], asked: argparse.Namespace, workers: list[int]) -> list[Figure]:
    """Every row in each round; prints the medians, with the processor time of `workers`, which are ours; returns all figures."""
    found: dict[tuple[str, str], list[Figure]] = {}
    spent: dict[tuple[str, str], list[float]] = {}
    for _ in range(asked.rounds):
        for row in (row for row in measures if asked.only in row[0]):
            before = sum(map(processor_seconds, workers))
            figure = measures[row](asked.seconds, asked.connections)
            found.setdefault(row, []).append(figure)
            spent.setdefault(row, []).append((sum(map(processor_seconds, workers)) - before) / max(1, figure.requests))
    rates = {row: statistics.median(each.requests_per_s for each in figures) for row, figures in found.items()}
    for row, rate in rates.items():
        late = statistics.median(each.p99_ms for each in found[row])
        wrong = sum(each.refused + each.broken for each in found[row])
        more = (
            ""
            if row[1].startswith("oidc-provider")
            else f"   {statistics.median(spent[row]) * 1e6:6.0f} µs of our processor time"
        )
        more += f"   refused {wrong}" if wrong else ""
        print(f"{row[0]:<30} {row[1]:<24} {rate:>9,.0f}/s   p99 {late:6.1f} ms{more}", flush=True)
    for name, server, other, peer, target in RATIOS:
        if (name, server) in rates and (other, peer) in rates:
            ratio = rates[name, server] / rates[other, peer]
            print(f"{name:<30} / {other}, {peer:<34} {ratio:5.2f}{'' if target is None else f'   target {target}'}")
    return [figure for figures in found.values() for figure in figures]


def main() -> None:
    """Everything that was asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench.machines")
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--only", default="", help="the rows whose name holds this word")
    parser.add_argument("--workers", type=int, default=1, help="processes of ours")
    parser.add_argument("--stored", type=int, default=0, help="registered clients beside ten")
    asked = parser.parse_args()
    key = ec.generate_private_key(ec.SECP256R1())
    measures: dict[tuple[str, str], Measure] = {}
    with ExitStack() as running:
        scratch = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="sealwright-bench-")))
        provider = running.enter_context(openid_provider(scratch))
        ours = running.enter_context(
            subject.running_subject(scratch / "ours", provider, database_url=None, workers=asked.workers)
        )
        pem = subject.client_certificate(ours.place, ours.url, ours.root, subject.JWK_PROVISIONER, ours.password)
        ours.run("system", "oauth2", "issuer", "create", "main", "--root")
        server = our_server(ours, pem, key)
        assert ours.process is not None
        workers = workers_of(ours.process.pid)
        if asked.stored:
            token = registration_token(ours)
            first = [server.registered(token) for _ in range(10)]
            few = {(row, "ten clients"): each for row, each in
                   {"registration": server.registrations(token), "look-up": lookups(server, token)}.items()}  # fmt: skip
            figures = measured(few, asked, workers)
            began = time.monotonic()
            fill_clients(ours.place / "home" / "sealwright.db", asked.stored, first[0]["client_id"])
            print(f"{asked.stored:,} clients were stored in {time.monotonic() - began:.0f} s", flush=True)
            figures += measured({(row, f"{asked.stored:,} clients more"): each for (row, _), each in few.items()}, asked, workers)
        else:
            oidc_provider.install()
            roots = scratch / "roots.pem"
            issuing = ours.root.with_name("issuing_ca.crt").read_text()
            roots.write_text(ours.root.read_text() + issuing)
            theirs = running.enter_context(
                oidc_provider.running_oidc_provider(
                    scratch / "theirs", client_key=jwk_of(key) | {"kid": "bench"}, client_roots=roots
                )
            )
            measures = {(row, "sealwright"): each for row, each in rows_of_ours(ours, server).items()}
            their_server = Server(theirs.url, theirs.mutual, {"token": "/token", "push": "/request"}, pem, key)
            for label, rows in rows_of_theirs(their_server, theirs.secret).items():
                measures |= {(row, label): each for row, each in rows.items()}
            figures = measured(measures, asked, workers)
    written = Path("build/bench-machines.json")
    write_results(written, signatures_ceiling(), figures)
    print(f"Written to {written}")


if __name__ == "__main__":
    main()
