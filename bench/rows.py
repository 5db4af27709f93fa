"""Measure every path of our server, on both engines, and step-ca; print a table, write build/bench-rows.json.

``python -m bench.rows [--seconds N] [--engines sqlite,postgresql] [--workers 1,2] [--only WORD] [--stored N]``. PostgreSQL is the
server that SEALWRIGHT_TEST_POSTGRESQL_URL names (`make bench-rows` starts one).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import tempfile
import uuid
from pathlib import Path
from urllib.parse import urlencode

import asyncpg

from bench import step_ca, subject
from bench.ceiling import ceiling_line, signatures_ceiling
from bench.load import FORM, WARMING, Figure, apache_bench, write_results, wrk
from bench.provider import CLIENT, Provider, openid_provider
from bench.workload import jwk_bodies, oidc_bodies

FASTEST_EXPECTED = 8_000
FASTEST_TOKENS = 3_000
MOST_TOKENS = 20_000


class Bench:
    """Collects figures; `only` leaves out the rows whose name does not hold the word."""

    def __init__(self, seconds: float, only: str) -> None:
        self.seconds = seconds
        self.only = only
        self.figures: list[Figure] = []
        self.ceiling = signatures_ceiling()

    def wants(self, name: str) -> bool:
        """Whether this row is to be measured."""
        return self.only in name

    def keep(self, figure: Figure) -> None:
        """Print a row and keep it for the file."""
        share = figure.requests_per_s / self.ceiling["requests_per_s"]
        trouble = f"  refused {figure.refused}, broken {figure.broken}" if figure.refused or figure.broken else ""
        if figure.used_up:
            trouble += f"  bodies used up after {figure.seconds:.1f} s"
        print(
            f"{figure.name:<48} {figure.requests_per_s:>10,.0f}/s  p50 {figure.p50_ms:7.1f} ms  p99 {figure.p99_ms:7.1f} ms"
            f"  {share:6.0%} of the ceiling{trouble}",
            flush=True,
        )
        self.figures.append(figure)

    def sign(self, name: str, url: str, bodies: list[str]) -> None:
        """POST /sign, each body once. The first few count for nothing: they make a server do what it does once."""
        wrk(name, url, "/sign", bodies=bodies[:WARMING], seconds=1)
        self.keep(wrk(name, url, "/sign", bodies=bodies[WARMING:], seconds=self.seconds))

    def redeem(self, name: str, url: str, bodies: list[str]) -> None:
        """POST to the token endpoint, each body once."""
        self.keep(wrk(name, url, "/oauth2/token", bodies=bodies, content_type=FORM, seconds=self.seconds))


def measure_step_ca(bench: Bench, place: Path, provider: Provider) -> None:
    """Sign and renew at the real step-ca."""
    count = int(bench.seconds * 3_000)
    place.mkdir()
    with step_ca.running_step_ca(place, provider) as peer:
        audience = f"{peer.url}/1.0/sign"
        if bench.wants("step-ca: sign, JWK token"):
            bodies = jwk_bodies(count, key=peer.key, kid=peer.kid, provisioner=step_ca.JWK_PROVISIONER, audience=audience)
            bench.sign("step-ca: sign, JWK token", peer.url, bodies)
        if bench.wants("step-ca: sign, OIDC token"):
            bodies = oidc_bodies(count, key=provider.key, kid=provider.kid, issuer=provider.issuer, client=CLIENT)
            bench.sign("step-ca: sign, OIDC token", peer.url, bodies)
        if bench.wants("step-ca: renew, mTLS"):
            pem = subject.client_certificate(place, peer.url, peer.root, step_ca.JWK_PROVISIONER, step_ca.PASSWORD)
            bench.keep(apache_bench("step-ca: renew, mTLS", f"{peer.url}/renew", certificate=pem, seconds=bench.seconds))


def measure_certificates(bench: Bench, label: str, ours: subject.Subject, provider: Provider) -> None:
    """Sign with both kinds of tokens, renew over mTLS."""
    count = int(bench.seconds * FASTEST_EXPECTED)
    if bench.wants(f"{label}: sign, JWK token"):
        key, kid = ours.provisioner_key()
        audience = f"{ours.url}/1.0/sign"
        bodies = jwk_bodies(count, key=key, kid=kid, provisioner=subject.JWK_PROVISIONER, audience=audience)
        bench.sign(f"{label}: sign, JWK token", ours.url, bodies)
    if bench.wants(f"{label}: sign, OIDC token"):
        bodies = oidc_bodies(count, key=provider.key, kid=provider.kid, issuer=provider.issuer, client=CLIENT)
        bench.sign(f"{label}: sign, OIDC token", ours.url, bodies)
    if bench.wants(f"{label}: renew, mTLS"):
        pem = subject.client_certificate(ours.place, ours.url, ours.root, subject.JWK_PROVISIONER, ours.password)
        bench.keep(apache_bench(f"{label}: renew, mTLS", f"{ours.url}/renew", certificate=pem, seconds=bench.seconds))


def measure_provider(bench: Bench, label: str, ours: subject.Subject) -> None:
    """Token endpoint, discovery, JWKS, sign-in."""
    count = min(MOST_TOKENS, int(bench.seconds * FASTEST_TOKENS))
    if bench.wants(f"{label}: token, code"):
        client = {"client_id": subject.OAUTH_CLIENT, "client_secret": "", "redirect_uri": subject.REDIRECT}
        fixed = {**client, "grant_type": "authorization_code", "code_verifier": subject.VERIFIER}
        bodies = [urlencode({**fixed, "code": code}) for code in ours.codes(count)]
        bench.redeem(f"{label}: token, code", ours.people, bodies)
    if bench.wants(f"{label}: token, refresh"):
        bodies = [urlencode({"grant_type": "refresh_token", "client_id": subject.OAUTH_CLIENT, "refresh_token": token})
                  for token in ours.refresh_tokens(count)]  # fmt: skip
        bench.redeem(f"{label}: token, refresh", ours.people, bodies)
    if bench.wants(f"{label}: discovery"):
        bench.keep(wrk(f"{label}: discovery", ours.people, subject.DISCOVERY_PATH, seconds=bench.seconds))
    if bench.wants(f"{label}: JWKS"):
        bench.keep(wrk(f"{label}: JWKS", ours.people, subject.JWKS_PATH, seconds=bench.seconds))
    if bench.wants(f"{label}: sign-in, password"):
        body = json.dumps({"name": subject.PERSON, "password": ours.password})
        row = f"{label}: sign-in, password"
        bench.keep(wrk(row, ours.people, "/api/v1/login", bodies=[body] * 400, connections=4, seconds=bench.seconds))


async def fresh_database(server: str) -> str:
    """A new database on the PostgreSQL server."""
    name = f"bench_{uuid.uuid4().hex}"
    connection = await asyncpg.connect(server)
    await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()
    return f"{server.rpartition('/')[0]}/{name}"


def main() -> None:
    """Everything that was asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench.rows")
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--engines", default="sqlite,postgresql")
    parser.add_argument("--workers", default="1,2")
    parser.add_argument("--only", default="")
    parser.add_argument("--stored", type=int, default=0, help="certificates that the SQLite databases hold beforehand")
    asked = parser.parse_args()
    bench = Bench(asked.seconds, asked.only)
    print(ceiling_line(bench.ceiling), flush=True)
    with tempfile.TemporaryDirectory(prefix="sealwright-bench-") as scratch, openid_provider(Path(scratch)) as provider:
        measure_step_ca(bench, Path(scratch) / "step-ca", provider)
        for engine in asked.engines.split(","):
            for workers in map(int, asked.workers.split(",")):
                label = f"{engine}, {workers} worker{'s' if workers > 1 else ''}"
                stored = asked.stored if engine == "sqlite" else 0
                if stored:
                    label += f", {stored:,} stored"
                if not any(bench.only in f"{label}: {row}" for row in _ROWS):
                    continue
                server = os.environ.get("SEALWRIGHT_TEST_POSTGRESQL_URL", "")
                url = asyncio.run(fresh_database(server)) if engine == "postgresql" else None
                place = Path(scratch) / f"{engine}-{workers}"
                with subject.running_subject(place, provider, database_url=url, workers=workers, stored=stored) as ours:
                    measure_certificates(bench, label, ours, provider)
                    measure_provider(bench, label, ours)
    written = Path("build/bench-rows.json")
    write_results(written, bench.ceiling, bench.figures)
    print(f"Written to {written}")


_ROWS = (
    "sign, JWK token",
    "sign, OIDC token",
    "renew, mTLS",
    "token, code",
    "token, refresh",
    "discovery",
    "JWKS",
    "sign-in, password",
)


if __name__ == "__main__":
    main()
