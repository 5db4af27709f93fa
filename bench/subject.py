"""A server of ours, set up by its own commands, to be measured."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import secrets
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import tomlkit
from cryptography.hazmat.primitives.asymmetric import ec

from bench.inventory import fill
from bench.provider import CLIENT, Provider
from bench.step_ca import TOOLS, free_port, wait_for
from bench.workload import b64
from demo.forms import Browser
from sealwright.jose import decrypt_private_jwk
from sealwright.settings import declared

SEALWRIGHT = Path(sys.executable).parent / "sealwright"
JWK_PROVISIONER = "bench-jwk"
PERSON = "benny"
OAUTH_CLIENT = "bench-client"
REDIRECT = "https://app.bench.example.org/"
"""Not on a person's own machine: there they are asked for consent each time."""
DISCOVERY_PATH = f"/oauth2/openid/{OAUTH_CLIENT}/.well-known/openid-configuration"
JWKS_PATH = f"/oauth2/openid/{OAUTH_CLIENT}/public_key.jwk"
VERIFIER = "v" * 64
PREPARATION = 30
"""Seconds at most to prepare codes or refresh tokens: a code is good for a minute, and is to be used within it."""
CONNECTIONS = 8
CHALLENGE = b64(hashlib.sha256(VERIFIER.encode()).digest())


@dataclass
class Subject:
    """One server of ours and what its clients need."""

    place: Path
    people_port: int
    machines_port: int
    environment: dict[str, str]
    password: str
    process: subprocess.Popen[bytes] | None = None

    @property
    def people(self) -> str:
        return f"https://localhost:{self.people_port}"

    @property
    def url(self) -> str:
        return f"https://localhost:{self.machines_port}"

    @property
    def root(self) -> Path:
        return self.place / "home" / "certs" / "root_ca.crt"

    def run(self, *arguments: str) -> str:
        """One command of ours, run to its end."""
        done = subprocess.run(
            [str(SEALWRIGHT), *arguments], env=self.environment, cwd=self.place, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise RuntimeError(f"sealwright {' '.join(arguments)}: {done.stdout}{done.stderr}")
        return done.stdout

    def provisioner_key(self) -> tuple[ec.EllipticCurvePrivateKey, str]:
        """The JWK provisioner's key, fetched and opened as `step` does it."""
        context = ssl.create_default_context(cafile=str(self.root))
        connection = http.client.HTTPSConnection("localhost", self.machines_port, context=context)
        connection.request("GET", "/provisioners?limit=100")
        listed = json.loads(connection.getresponse().read())["provisioners"]
        entry = next(entry for entry in listed if entry["name"] == JWK_PROVISIONER)
        key = decrypt_private_jwk(entry["encryptedKey"], self.password.encode()).private_key
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        return key, entry["key"]["kid"]

    def codes(self, count: int) -> list[str]:
        """Authorization codes for the client `bench-client`; fewer where they take too long to make."""
        return self._gathered(count, self._code_source())

    def refresh_tokens(self, count: int) -> list[str]:
        """Refresh tokens, each of a family of its own, redeemed from fresh codes; fewer where they take too long to make."""
        code = self._code_source()
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        fixed = {"grant_type": "authorization_code", "client_id": OAUTH_CLIENT, "redirect_uri": REDIRECT}

        def refresh_token(connection: http.client.HTTPSConnection) -> str:
            fields = {**fixed, "code": code(connection), "code_verifier": VERIFIER}
            connection.request("POST", "/oauth2/token", urlencode(fields), headers)
            found: str = json.loads(connection.getresponse().read())["refresh_token"]
            return found

        return self._gathered(count, refresh_token)

    def _code_source(self) -> Callable[[http.client.HTTPSConnection], str]:
        """What asks for one more code, as a signed-in browser whose person consented before."""
        browser = Browser(self.root)
        page = browser.open(f"{self.people}/ui/sign-in")
        browser.submit(page, "sign-in", username=PERSON, password=self.password)
        query = urlencode(
            {
                "client_id": OAUTH_CLIENT,
                "redirect_uri": REDIRECT,
                "response_type": "code",
                "scope": "openid email",
                "state": "s",
                "code_challenge": CHALLENGE,
                "code_challenge_method": "S256",
            }
        )
        path = f"/oauth2/authorise?{query}"
        cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies[self.people].items())

        def location(connection: http.client.HTTPSConnection) -> str:
            connection.request("GET", path, headers={"Cookie": cookies})
            answer = connection.getresponse()
            answer.read()
            return answer.getheader("location", "")

        def code(connection: http.client.HTTPSConnection) -> str:
            return parse_qs(urlsplit(location(connection)).query)["code"][0]

        first = location(self._connection())
        if first.startswith("/"):  # the first time the person is asked
            _allow(browser, browser.open(self.people + first))
        return code

    def _connection(self) -> http.client.HTTPSConnection:
        context = ssl.create_default_context(cafile=str(self.root))
        return http.client.HTTPSConnection("localhost", self.people_port, context=context)

    def _gathered(self, count: int, one: Callable[[http.client.HTTPSConnection], str]) -> list[str]:
        """Ask over a few connections at once, so that the answers share the server's commits. Ends in time to use the first."""
        end = time.monotonic() + PREPARATION
        turns = iter(range(count))

        def some() -> list[str]:
            with closing(self._connection()) as connection:
                return [one(connection) for _ in turns if time.monotonic() < end]

        with ThreadPoolExecutor(CONNECTIONS) as pool:
            asked = [pool.submit(some) for _ in range(CONNECTIONS)]
            return [found for each in asked for found in each.result()]


def _allow(browser: Browser, page: object) -> None:
    try:
        browser.submit(page, "allow")  # type: ignore[arg-type] # a page of `demo.forms`
    except OSError:
        return  # the client that is sent back to is not there


@contextmanager
def running_subject(
    place: Path,
    provider: Provider,
    *,
    database_url: str | None,
    workers: int,
    stored: int = 0,
    prepare: Callable[[Path], None] | None = None,
) -> Iterator[Subject]:
    """Initialise, configure, start; people, a client and both kinds of provisioners. `stored`: certificates there are already.

    `prepare`: called with the home before the start.
    """
    place.mkdir(parents=True)
    (place / "user").mkdir()
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("SEALWRIGHT_", "XDG_", "STEP"))}
    environment |= {"HOME": str(place / "user"), "SEALWRIGHT_HOME": str(place / "home")}
    if database_url:
        environment["SEALWRIGHT_DATABASE_URL"] = database_url
    subject = Subject(place, free_port(), free_port(), environment, secrets.token_urlsafe(18))
    (place / "password").touch(mode=0o600)
    (place / "password").write_text(subject.password)
    listeners = ["--people", f"127.0.0.1:{subject.people_port}", "--machines", f"127.0.0.1:{subject.machines_port}"]
    listeners += ["--status", f"127.0.0.1:{free_port()}", "--dns", "localhost", "--dns", "127.0.0.1"]
    first = ["--provisioner", JWK_PROVISIONER, "--provisioner-password-file", "password"]
    subject.run("init", "--dir", str(place / "home"), "--name", "Bench", *listeners, *first)
    settings = place / "home" / "settings.toml"
    document = tomlkit.parse(settings.read_text())
    document["workers"] = workers
    # all load comes from one address and one person
    document["budgets"] = {each.name: "off" for each in declared() if each.section == "budgets"}
    document.setdefault("outbound", tomlkit.table())
    document["outbound"]["allow_private"] = ["127.0.0.0/8", "::1/128"]
    document["outbound"]["ca_file"] = str(provider.trust_file)
    settings.write_text(tomlkit.dumps(document))
    if stored:
        fill(place / "home" / "sealwright.db", stored)
    if prepare is not None:
        prepare(place / "home")
    with (place / "server.log").open("wb") as log:
        command = [str(SEALWRIGHT), "serve", "--dir", str(place / "home")]
        process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    subject.process = process
    try:
        wait_for(subject.machines_port, process)
        _set_up(subject, provider)
        yield subject
    except BaseException:
        print((place / "server.log").read_text()[-4_000:], flush=True)
        raise
    finally:
        process.terminate()
        process.wait(20)


def _set_up(subject: Subject, provider: Provider) -> None:
    subject.run("recover-account", "admin", "--dir", str(subject.place / "home"), "--password-file", "password")
    subject.run("login", "-D", "admin", "--password-file", "password")
    subject.run("person", "create", PERSON, "Benny Bench")
    subject.run("person", "update", PERSON, "--mail", "benny@bench.example.org")
    subject.run("person", "set-password", PERSON, "--password-file", "password")
    subject.run("group", "create", "bench_users")
    subject.run("group", "add-members", "bench_users", PERSON)
    subject.run("system", "oauth2", "create-public", OAUTH_CLIENT, "Bench", REDIRECT)
    subject.run("system", "oauth2", "update-scope-map", OAUTH_CLIENT, "bench_users", "openid", "email")
    endpoint = ["--client-id", CLIENT, "--configuration-endpoint", provider.issuer]
    subject.run("provisioner", "add", "bench-oidc", "--type", "oidc", *endpoint)


def client_certificate(directory: Path, url: str, root: Path, provisioner: str, password: str) -> Path:
    """A certificate and key in one PEM file, made with the stock `step` at either CA."""
    environment = {**os.environ, "STEPPATH": str(directory / "client-step")}
    file = directory / "client-password"
    file.write_text(password)
    common = ["--ca-url", url, "--root", str(root), "--provisioner", provisioner, "--provisioner-password-file", str(file)]
    command = [
        str(TOOLS / "step"),
        "ca",
        "certificate",
        "renew.bench.example.org",
        "client.crt",
        "client.key",
        "--force",
        *common,
    ]
    subprocess.run(command, env=environment, cwd=directory, check=True, capture_output=True, stdin=subprocess.DEVNULL)
    joined = directory / "client.pem"
    joined.write_text((directory / "client.crt").read_text() + (directory / "client.key").read_text())
    return joined
