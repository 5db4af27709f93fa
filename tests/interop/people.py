"""People who sign in to a live server through its forms, without a browser."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
import subprocess
import threading
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from demo.forms import Browser, Page
from tests.interop.wire import Answer, line
from tests.live import PATIENCE, PERSON_PASSWORD, SEALWRIGHT, LiveServer, end

RETURN_TO = "http://127.0.0.1:9"
"""No one listens there; the browser below stops before it."""


class ReturningBrowser(Browser):
    """Stops at the address to which an application asked to come back."""

    def _exchange(self, method: str, url: str, body: str | None, came_from: str) -> Page:
        if url.startswith(RETURN_TO):
            return Page(url, 200, {}, "")
        return super()._exchange(method, url, body, came_from)


def sign_in(server: LiveServer, person: str = "alice", password: str = PERSON_PASSWORD) -> ReturningBrowser:
    """A browser in which a person is signed in."""
    browser = ReturningBrowser(server.root)
    page = browser.submit(browser.open(f"{server.people}/ui/sign-in"), "sign-in", username=person, password=password)
    assert page.url == f"{server.people}/ui/account", page.title
    return browser


def code_for(
    server: LiveServer, browser: ReturningBrowser, *, client: str = "step-ca", **more: str
) -> tuple[dict[str, str], str]:
    """What the provider sends back to an application, and the verifier of the request."""
    verifier = secrets.token_urlsafe(48)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    query = {
        "client_id": client,
        "redirect_uri": RETURN_TO,
        "response_type": "code",
        "scope": "openid email",
        "state": secrets.token_urlsafe(12),
        "nonce": secrets.token_hex(16),
        "code_challenge": challenge,
        "code_challenge_method": "S256",
        **more,
    }
    page = browser.open(f"{server.people}/oauth2/authorise?{urlencode(query)}")
    if not page.url.startswith(RETURN_TO):
        page = browser.submit(page, "allow")
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}, verifier


def redeem(server: LiveServer, code: str, verifier: str, *, client: str = "step-ca") -> Answer:
    """The answer of the token endpoint."""
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": RETURN_TO, "client_id": client}
    body = urlencode({**form, "code_verifier": verifier}).encode()
    with line(server.people, server.root) as opened:
        return opened.send("POST", "/oauth2/token", body, content_type="application/x-www-form-urlencoded")


def id_token(server: LiveServer, browser: ReturningBrowser, *, client: str = "step-ca") -> str:
    """An ID token for the person who is signed in."""
    answer, verifier = code_for(server, browser, client=client)
    token: str = redeem(server, answer["code"], verifier, client=client).json()["id_token"]
    return token


def issue(
    server: LiveServer,
    *arguments: str | Path,
    person: str = "alice",
    password: str = PERSON_PASSWORD,
    cwd: Path | None = None,
    button: str = "allow",
) -> subprocess.CompletedProcess[str]:
    """`sealwright certificate issue …`, with a person who signs in at the address that it prints, and allows or denies."""
    command = [str(SEALWRIGHT), "certificate", "issue", *map(str, arguments), "--no-browser"]
    process = subprocess.Popen(
        command,
        env=server.environment(),
        cwd=cwd or server.place,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    stopper = threading.Timer(2 * PATIENCE, process.kill)
    stopper.start()
    try:
        printed = ""
        for text in process.stderr or ():
            printed += text
            found = re.search(r"https://\S+", text)
            if found:
                browser = Browser(server.root)
                page = browser.submit(browser.open(found.group(0)), "sign-in", username=person, password=password)
                if button in {each for form in page.parsed().forms for each in form.buttons}:
                    browser.submit(page, button)
                break
        out, rest = process.communicate()
        return subprocess.CompletedProcess(command, process.returncode, out, printed + rest)
    finally:
        stopper.cancel()
        end(process)


def with_token(server: LiveServer, csr: str, token: str, **more: Any) -> Answer:
    """`POST /sign`."""
    with line(server.machines, server.root) as opened:
        return opened.send("POST", "/sign", {"csr": csr, "ott": token, **more})
