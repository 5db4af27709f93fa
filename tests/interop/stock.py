"""Clients and servers that none of us wrote: the stock `step` and `step-ca`, Chromium, openssl, curl."""

from __future__ import annotations

import json
import os
import re
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.live import PATIENCE, PERSON_PASSWORD, PROVISIONER_PASSWORD, TOOLS, LiveServer, end, free_ports, run, wait_for_port

CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@dataclass
class Authority:
    """A CA that the stock `step` talks to, and a user's directory for it."""

    kind: str
    """``sealwright`` or ``step-ca``."""
    url: str
    fingerprint: str
    place: Path
    trust_file: Path
    """Roots that the user's machine trusts; the provider's certificate comes from there."""
    provider: LiveServer
    environment: dict[str, str] = field(default_factory=dict)

    def user(self, name: str) -> User:
        """A user whose machine has never seen this CA."""
        place = self.place / name
        place.mkdir()
        return User(self, place)


@dataclass
class User:
    """A directory, a STEPPATH, and commands run there."""

    authority: Authority
    place: Path

    def environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.place),
            "STEPPATH": str(self.place / ".step"),
            "SSL_CERT_FILE": str(self.authority.trust_file),
            "STEP_OPEN_BROWSER": "0",
        }

    def step(self, *arguments: str, expect_failure: bool = False, stdin: str = "") -> str:
        """Run `step`; what it printed. Its exit status must be as expected."""
        done = run([TOOLS / "step", *arguments], environment=self.environment(), cwd=self.place, stdin=stdin)
        printed = done.stdout + done.stderr
        assert (done.returncode != 0) == expect_failure, f"step {' '.join(arguments)} → {done.returncode}\n{printed}"
        return printed

    def token(self, *arguments: str) -> str:
        """`step ca token` with the JWK provisioner `first`."""
        options = ("--provisioner", "first", "--provisioner-password-file", "password")
        command: list[str | Path] = [TOOLS / "step", "ca", "token", *options, *arguments]
        done = run(command, environment=self.environment(), cwd=self.place)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def bootstrap(self) -> User:
        """Trust the CA, and keep the provisioner's password in a file."""
        self.step("ca", "bootstrap", "--ca-url", self.authority.url, "--fingerprint", self.authority.fingerprint)
        (self.place / "password").write_text(PROVISIONER_PASSWORD)
        return self

    def certificate(self, name: str, *more: str) -> tuple[Path, Path]:
        """A certificate by the JWK provisioner `first`; the files of the certificate and its key."""
        crt, key = self.place / f"{name}.crt", self.place / f"{name}.key"
        first = ("--provisioner", "first", "--provisioner-password-file", "password")
        self.step("ca", "certificate", name, str(crt), str(key), *first, *more)
        return crt, key

    def certificate_by_sign_in(
        self,
        name: str,
        *more: str,
        provisioner: str = "kanidm",
        person: str = "alice",
        password: str = PERSON_PASSWORD,
        signs_in: Callable[[str], None] | None = None,
    ) -> tuple[str, int]:
        """`step ca certificate` with an OIDC provisioner and a person in a real Chromium; what it printed and its status.

        `signs_in` does it in another way, at the address that was printed.
        """
        command = [str(TOOLS / "step"), "ca", "certificate", name, "personal.crt", "personal.key"]
        process = subprocess.Popen(
            [*command, "--provisioner", provisioner, "--force", *more],
            env=self.environment(),
            cwd=self.place,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        stopper = threading.Timer(2 * PATIENCE, process.kill)
        stopper.start()
        try:
            printed = ""
            for line in process.stdout or ():
                printed += line
                found = re.search(r"https://\S+[?&]response_type=\S+", line)
                if found and signs_in is not None:
                    signs_in(found.group(0))
                    break
                if found:
                    with chromium_page() as page:
                        sign_in(page, found.group(0), person, password)
                    break
            printed += process.stdout.read() if process.stdout else ""
            return printed, process.wait()
        finally:
            stopper.cancel()
            end(process)


@contextmanager
def chromium_page(*, javascript: bool = True) -> Iterator[Page]:
    """A page of a headless Chromium without a past."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM_FLAGS)
        try:
            context = browser.new_context(ignore_https_errors=True, java_script_enabled=javascript)
            context.set_default_timeout(1000 * PATIENCE)
            yield context.new_page()
        finally:
            browser.close()


def sign_in(page: Page, address: str, person: str, password: str = PERSON_PASSWORD) -> None:
    """Open an authorization request, sign in, allow; ends on the page that the waiting program shows."""
    page.goto(address)
    page.fill("#username", person)
    page.fill("#password", password)
    page.click("#sign-in")
    page.wait_for_url(lambda url: "/ui/sign-in" not in url)
    if "/ui/oauth2/consent" in page.url:
        page.click("#allow")
        page.wait_for_url(lambda url: "/ui/" not in url)


def openssl(*arguments: str | Path) -> str:
    """Run openssl; it must succeed."""
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert done.returncode == 0, f"openssl {' '.join(map(str, arguments))}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


@contextmanager
def step_ca(place: Path, provider: LiveServer) -> Iterator[Authority]:
    """The real step-ca: a JWK provisioner `first`, and OIDC provisioners that trust our provider."""
    (port,) = free_ports(1)
    place.mkdir(parents=True)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(place),
        "STEPPATH": str(place / "ca"),
        "SSL_CERT_FILE": str(provider.root),
    }
    password = place / "password"
    password.write_text(PROVISIONER_PASSWORD)
    names = ["--name", "Oracle", "--dns", "localhost", "--dns", "127.0.0.1", "--address", f"127.0.0.1:{port}"]
    secrets = ["--password-file", str(password), "--provisioner-password-file", str(password)]
    init: list[str | Path] = [
        TOOLS / "step",
        "ca",
        "init",
        "--deployment-type",
        "standalone",
        "--provisioner",
        "first",
        *names,
        *secrets,
    ]
    done = run(init, environment=environment, cwd=place)
    assert done.returncode == 0, done.stdout + done.stderr
    settings = place / "ca" / "config" / "ca.json"
    configured = json.loads(settings.read_text())
    configured["authority"]["provisioners"].append(oidc_provisioner(provider))
    settings.write_text(json.dumps(configured))
    log = place / "step-ca.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(TOOLS / "step-ca"), str(settings), "--password-file", str(password)],
            env=environment,
            stdout=output,
            stderr=output,
        )
    try:
        wait_for_port(port, process, log)
        root = place / "ca" / "certs" / "root_ca.crt"
        fingerprint = run([TOOLS / "step", "certificate", "fingerprint", root], environment=environment, cwd=place).stdout.strip()
        yield Authority("step-ca", f"https://localhost:{port}", fingerprint, place, provider.root, provider)
    finally:
        end(process)


def oidc_provisioner(provider: LiveServer, *, name: str = "kanidm", client: str = "step-ca") -> dict[str, object]:
    """A provisioner as in the tutorial, with a secret that a public client does not have."""
    discovery = f"{provider.people}/oauth2/openid/{client}/.well-known/openid-configuration"
    return {
        "type": "OIDC",
        "name": name,
        "clientID": client,
        "clientSecret": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "configurationEndpoint": discovery,
        "scopes": ["openid", "email"],
    }


def fingerprint_of(server: LiveServer) -> str:
    """SHA-256 of our root, as `step` prints it."""
    command: list[str | Path] = [TOOLS / "step", "certificate", "fingerprint", server.root]
    return run(command, environment=server.environment(), cwd=server.place).stdout.strip()
