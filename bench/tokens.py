"""Measure the provider's endpoints beside oidc-provider of npm, both in turn; print the ratios, write build/bench-tokens.json.

``python -m bench.tokens [--seconds N] [--rounds N] [--connections N] [--only WORD] [--workers N]``. Both run over TLS;
theirs is one process that keeps its state in memory, ours one worker unless `--workers` says more (an installed server has one
for each processor), on disk, durably. Access tokens of ours are signed with ES256; theirs are opaque, or signed with
RS256.
"""

from __future__ import annotations

import argparse
import json
import ssl
import statistics
import tempfile
import urllib.request
from collections.abc import Callable
from functools import partial
from pathlib import Path
from urllib.parse import urlencode

from bench import oidc_provider, subject
from bench.ceiling import signatures_ceiling
from bench.load import FORM, Figure, write_results, wrk
from bench.provider import openid_provider

CLIENT = "bench-service"
MOST = 20_000
Measure = Callable[[float, int], Figure]
MakeForms = Callable[[int], list[dict[str, str]]]
RATIOS = (
    ("discovery", "discovery", None),
    ("JWKS", "JWKS", None),
    ("introspection", "introspection", 1.3),
    ("client_credentials", "client_credentials, opaque", 1.0),
    ("client_credentials", "client_credentials, RS256", 2.0),
    ("code exchange", "client_credentials, RS256", 1.0),
    ("refresh", "client_credentials, RS256", 1.0),
)
"""A row of ours, a row of theirs, and how many times theirs ours should be."""


def posted(url: str, fields: dict[str, str]) -> dict[str, str]:
    """One request, before the clock runs; the certificate on loopback is not checked."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with urllib.request.urlopen(url, urlencode(fields).encode(), context=context) as answer:
        found: dict[str, str] = json.load(answer)
        return found


def get(url: str, path: str, authorization: str = "") -> Measure:
    return lambda seconds, connections: wrk(path, url, path, seconds=seconds, connections=connections, proof=authorization)


def repeated(url: str, path: str, fields: dict[str, str]) -> Measure:
    """The same form again and again."""
    bodies = [urlencode(fields)] * MOST
    return lambda seconds, connections: wrk(
        path, url, path, bodies=bodies, content_type=FORM, seconds=seconds, connections=connections
    )


def each_once(url: str, make: MakeForms) -> Measure:
    """Forms that are good once, made anew for each round."""
    return lambda seconds, connections: redeem(url, make(min(MOST, int(seconds * 2_500))), seconds, connections)


def redeem(url: str, forms: list[dict[str, str]], seconds: float, connections: int) -> Figure:
    """Send each form to the token endpoint once."""
    path, bodies = "/oauth2/token", [urlencode(each) for each in forms]
    return wrk(path, url, path, bodies=bodies, content_type=FORM, seconds=seconds, connections=connections)


def exchanges(ours: subject.Subject, count: int) -> list[dict[str, str]]:
    """Forms that exchange a code each."""
    exchange = {"client_id": subject.OAUTH_CLIENT, "grant_type": "authorization_code", "redirect_uri": subject.REDIRECT}
    exchange["code_verifier"] = subject.VERIFIER
    return [{**exchange, "code": each} for each in ours.codes(count)]


def refreshes(ours: subject.Subject, count: int) -> list[dict[str, str]]:
    """Forms that exchange a refresh token each."""
    refresh = {"client_id": subject.OAUTH_CLIENT, "grant_type": "refresh_token"}
    return [{**refresh, "refresh_token": each} for each in ours.refresh_tokens(count)]


def rows_of_ours(ours: subject.Subject) -> dict[str, Measure]:
    """What is measured of our own server."""
    ours.run("system", "oauth2", "create", CLIENT, "Service", "https://service.bench.example.org")
    ours.run("group", "create", "bench_service")
    ours.run("system", "oauth2", "update-scope-map", CLIENT, "bench_service", "read")
    secret = ours.run("system", "oauth2", "show-basic-secret", CLIENT).strip()
    credentials = {"client_id": CLIENT, "client_secret": secret}
    own = {**credentials, "grant_type": "client_credentials", "scope": "read"}
    token = posted(f"{ours.people}/oauth2/token", own)["access_token"]
    (form,) = exchanges(ours, 1)
    person = posted(f"{ours.people}/oauth2/token", form)["access_token"]
    userinfo = f"/oauth2/openid/{subject.OAUTH_CLIENT}/userinfo"
    return {
        "discovery": get(ours.people, subject.DISCOVERY_PATH),
        "JWKS": get(ours.people, subject.JWKS_PATH),
        "introspection": repeated(ours.people, "/oauth2/token/introspect", {**credentials, "token": token}),
        "userinfo": get(ours.people, userinfo, f"Bearer {person}"),
        "client_credentials": repeated(ours.people, "/oauth2/token", own),
        "code exchange": each_once(ours.people, partial(exchanges, ours)),
        "refresh": each_once(ours.people, partial(refreshes, ours)),
    }


def rows_of_theirs(theirs: oidc_provider.OidcProvider) -> dict[str, Measure]:
    """What is measured of oidc-provider."""
    credentials = {"client_id": oidc_provider.CLIENT, "client_secret": theirs.secret}
    own = {**credentials, "grant_type": "client_credentials"}
    signed = {**own, "scope": "read", "resource": f"{theirs.url}/api"}
    token = posted(f"{theirs.url}/token", own)["access_token"]
    return {
        "discovery": get(theirs.url, "/.well-known/openid-configuration"),
        "JWKS": get(theirs.url, "/jwks"),
        "introspection": repeated(theirs.url, "/token/introspection", {**credentials, "token": token}),
        "client_credentials, opaque": repeated(theirs.url, "/token", own),
        "client_credentials, RS256": repeated(theirs.url, "/token", signed),
    }


def main() -> None:
    """Everything that was asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench.tokens")
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--workers", type=int, default=1, help="processes of ours")
    parser.add_argument("--only", default="", help="the rows whose name holds this word")
    asked = parser.parse_args()
    oidc_provider.install()
    found: dict[tuple[str, str], list[Figure]] = {}
    with (
        tempfile.TemporaryDirectory(prefix="sealwright-bench-") as scratch,
        openid_provider(Path(scratch)) as provider,
        subject.running_subject(Path(scratch) / "ours", provider, database_url=None, workers=asked.workers) as ours,
        oidc_provider.running_oidc_provider(Path(scratch) / "theirs") as theirs,
    ):
        measures = {("sealwright", name): each for name, each in rows_of_ours(ours).items()}
        measures |= {("oidc-provider", name): each for name, each in rows_of_theirs(theirs).items()}
        for _ in range(asked.rounds):
            for row in (row for row in measures if asked.only in row[1]):
                figure = measures[row](asked.seconds, asked.connections)
                if figure.refused or figure.broken:
                    raise RuntimeError(f"{row}: {figure.refused} refused, {figure.broken} broken")
                found.setdefault(row, []).append(figure)
    print_rows(found)
    write_results(Path("build/bench-tokens.json"), signatures_ceiling(), [figure for each in found.values() for figure in each])


def print_rows(found: dict[tuple[str, str], list[Figure]]) -> None:
    """Medians of every row, and the ratios that have a meaning."""
    rates = {row: statistics.median(each.requests_per_s for each in figures) for row, figures in found.items()}
    for (server, name), rate in rates.items():
        late = statistics.median(each.p99_ms for each in found[server, name])
        print(f"{server:<14} {name:<28} {rate:>9,.0f}/s   p99 {late:6.1f} ms")
    print()
    for ours, theirs, target in RATIOS:
        mine, other = rates.get(("sealwright", ours)), rates.get(("oidc-provider", theirs))
        if mine and other:
            wanted = "" if target is None else f"   target {target}"
            print(f"{ours:<20} / {theirs:<28} {mine / other:5.2f}{wanted}")


if __name__ == "__main__":
    main()
