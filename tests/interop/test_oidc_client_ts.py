"""oidc-client-ts, unmodified, in a page of its own in a real Chromium: sign-in, silent renewal by both ways, sign-out."""

from __future__ import annotations

import http.server
import json
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.interop.client_programs import NPM, OAUTH2, require
from tests.interop.test_browser_pages import chromium, made_person, type_in
from tests.live import PATIENCE, LiveServer

__all__ = ["chromium"]
pytestmark = pytest.mark.browser
LIBRARY = NPM / "node_modules" / "oidc-client-ts" / "dist" / "browser" / "oidc-client-ts.min.js"
PAGE = """<!doctype html>
<title>application</title>
<script src="/library.js"></script>
<script>
  const {UserManager, WebStorageStateStore, User} = oidc;
  const here = location.origin;
  const manager = new UserManager({
    authority: SETTINGS.authority,
    client_id: SETTINGS.client_id,
    scope: "openid profile email",
    redirect_uri: here + "/callback",
    silent_redirect_uri: here + "/silent",
    post_logout_redirect_uri: here + "/goodbye",
    userStore: new WebStorageStateStore({store: window.sessionStorage}),
    loadUserInfo: true,
    revokeTokensOnSignout: true,
    automaticSilentRenew: false,
  });
</script>
"""


class _Application(http.server.BaseHTTPRequestHandler):
    """A page and the library that it loads."""

    def do_GET(self) -> None:
        is_library = self.path == "/library.js"
        page = PAGE.replace("SETTINGS.", f"({json.dumps(self.server.settings)}).")  # type: ignore[attr-defined]  # set below
        body = LIBRARY.read_bytes() if is_library else page.encode()
        self.send_response(200)
        self.send_header("content-type", "text/javascript" if is_library else "text/html")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing on standard error."""


@contextmanager
def application(place: Path, settings: dict[str, Any]) -> Iterator[str]:
    """The application over https, as the cookies of the server are given to its frame only over the same scheme."""
    key, certificate = place / "key.pem", place / "certificate.pem"
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc"]
    made = ["openssl", "req", "-x509", *curve, "-days", "1", *names, "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(made, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    served = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Application)
    served.socket = context.wrap_socket(served.socket, server_side=True)
    served.settings = settings  # type: ignore[attr-defined]  # read by `_Application`
    thread = threading.Thread(target=served.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"https://localhost:{served.server_port}"
    finally:
        served.shutdown()
        served.server_close()
        thread.join()


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    made = chromium.new_context(ignore_https_errors=True)
    made.set_default_timeout(1000 * PATIENCE)
    yield made
    made.close()


@pytest.fixture
def signed_in(server: LiveServer, context: BrowserContext, tmp_path: Path) -> Iterator[tuple[Page, str, str]]:
    """The page of an application that has a person signed in, its address, and who it is."""
    require(LIBRARY.exists(), "scripts/install-npm-clients")
    name = made_person(server)
    client = f"browser-{name}"
    settings = {"authority": f"{server.people}/oauth2/openid/{client}", "client_id": client}
    with application(tmp_path, settings) as address:
        server.sealwright(*OAUTH2, "create-public", client, "Browser application", address)
        for path in ("/callback", "/silent"):
            server.sealwright(*OAUTH2, "add-redirect-url", client, address + path)
        server.sealwright(*OAUTH2, "add-post-logout-redirect-url", client, f"{address}/goodbye")
        server.sealwright(*OAUTH2, "update-scope-map", client, "step-ca_users", "openid", "profile", "email")
        page = context.new_page()
        page.goto(address)
        page.evaluate("() => void manager.signinRedirect()")
        page.wait_for_selector("#username")
        type_in(page, name)
        page.click("#allow")
        page.wait_for_url(f"{address}/callback?**")
        page.evaluate("() => manager.signinCallback()")
        yield page, address, name


def test_person_signs_in_and_the_application_is_told_who_it_is(server: LiveServer, signed_in: tuple[Page, str, str]) -> None:
    page, _, name = signed_in
    profile = page.evaluate("() => manager.getUser().then(user => user.profile)")
    person = server.sealwright_json("person", "get", name)
    assert (profile["sub"], profile["email"]) == (person["id"], person["mails"][0]["address"])
    assert profile["preferred_username"] == person["spn"]


def test_tokens_are_renewed_silently_with_the_refresh_token(signed_in: tuple[Page, str, str]) -> None:
    page, _, _ = signed_in
    before = page.evaluate("() => manager.getUser().then(user => [user.access_token, user.refresh_token])")
    page.evaluate("() => manager.signinSilent()")
    after = page.evaluate("() => manager.getUser().then(user => [user.access_token, user.refresh_token])")
    assert all(after)
    assert not set(before) & set(after)


def test_tokens_are_renewed_silently_in_a_hidden_frame(signed_in: tuple[Page, str, str]) -> None:
    page, address, _ = signed_in
    page.evaluate("() => manager.getUser().then(user => manager.storeUser(new User({...user, refresh_token: undefined})))")
    before = page.evaluate("() => manager.getUser().then(user => user.access_token)")
    # The frame's own page hands its address to the one above it, as the documentation has it.
    page.context.add_init_script(
        "if (location.pathname === '/silent') addEventListener('load', () => manager.signinSilentCallback())"
    )
    renewed = page.evaluate("() => manager.signinSilent().then(user => user.access_token)")
    assert renewed
    assert renewed != before
    assert page.url.startswith(address), "nothing was shown"


def test_sign_out_ends_the_session_and_the_tokens_and_comes_back(server: LiveServer, signed_in: tuple[Page, str, str]) -> None:
    page, address, _ = signed_in
    refresh_token = page.evaluate("() => manager.getUser().then(user => user.refresh_token)")
    page.evaluate("() => void manager.signoutRedirect()")
    page.wait_for_url(f"{address}/goodbye**")
    page.evaluate("() => manager.signoutCallback()")
    assert page.evaluate("() => manager.getUser()") is None
    refused = page.evaluate(
        """async token => {
            const {client_id} = manager.settings
            const body = new URLSearchParams({grant_type: "refresh_token", refresh_token: token, client_id})
            const answer = await fetch(await manager.metadataService.getTokenEndpoint(), {method: "POST", body})
            return [answer.status, (await answer.json()).error]
        }""",
        refresh_token,
    )
    assert refused == [400, "invalid_grant"]
    page.goto(f"{server.people}/ui/account")
    assert page.locator("#password").count() == 1
