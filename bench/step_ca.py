"""A real step-ca on this machine, set up by its own commands, to be measured by the same load."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from bench.provider import CLIENT, Provider

TOOLS = Path(__file__).parents[1] / "build" / "tools"
JWK_PROVISIONER = "bench-jwk"
PASSWORD = "bench-password"


@dataclass(frozen=True)
class StepCa:
    """Where it listens, and what its clients need."""

    url: str
    root: Path
    key: ec.EllipticCurvePrivateKey
    kid: str


def free_port() -> int:
    """A port on loopback that no one holds at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(port: int, process: subprocess.Popen[bytes], seconds: float = 20) -> None:
    """Wait until someone listens on `port`."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with status {process.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError(f"nothing listens on port {port}")


@contextmanager
def running_step_ca(directory: Path, provider: Provider) -> Iterator[StepCa]:
    """Initialise and start it; the OIDC provisioner trusts `provider`."""
    port = free_port()
    environment = {**os.environ, "STEPPATH": str(directory / "step"), "SSL_CERT_FILE": str(provider.trust_file)}
    password = directory / "password"
    password.write_text(PASSWORD)

    def step(*arguments: str) -> str:
        command = [str(TOOLS / "step"), *arguments]
        return subprocess.run(
            command, env=environment, check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL
        ).stdout

    address = f"127.0.0.1:{port}"
    names = [
        "--name",
        "Bench",
        "--dns",
        "localhost",
        "--dns",
        "127.0.0.1",
        "--address",
        address,
        "--deployment-type",
        "standalone",
    ]
    secrets = ["--password-file", str(password), "--provisioner-password-file", str(password)]
    step("ca", "init", *names, "--provisioner", JWK_PROVISIONER, *secrets)
    settings = directory / "step" / "config" / "ca.json"
    configured = json.loads(settings.read_text())
    entry = configured["authority"]["provisioners"][0]
    configured["authority"]["provisioners"].append(
        {"type": "OIDC", "name": "bench-oidc", "clientID": CLIENT, "clientSecret": "", "configurationEndpoint": provider.issuer}
    )
    settings.write_text(json.dumps(configured))
    jwe, jwk, pem = directory / "key.jwe", directory / "key.jwk", directory / "key.pem"
    jwe.write_text(entry["encryptedKey"])
    command = f"'{TOOLS / 'step'}' crypto jwe decrypt --password-file '{password}' < '{jwe}' > '{jwk}'"
    subprocess.run(["sh", "-c", command], env=environment, check=True)
    step("crypto", "key", "format", "--pem", "--out", str(pem), "--no-password", "--insecure", str(jwk))
    key = load_pem_private_key(pem.read_bytes(), None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError("step ca init made another kind of key than P-256")
    log = (directory / "step-ca.log").open("wb")
    process = subprocess.Popen(
        [str(TOOLS / "step-ca"), str(settings), "--password-file", str(password)], env=environment, stdout=log, stderr=log
    )
    try:
        wait_for(port, process)
        yield StepCa(f"https://localhost:{port}", directory / "step" / "certs" / "root_ca.crt", key, entry["key"]["kid"])
    finally:
        process.terminate()
        process.wait(20)
        log.close()
