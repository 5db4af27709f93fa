"""The pages in a real Chromium, with and without JavaScript: what only a browser can tell."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import http.server
import itertools
import re
import socket
import threading
import time
from collections.abc import Iterator
from datetime import datetime
from urllib.parse import parse_qs, urlencode, urlsplit
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from sealwright.identity.totp import code_at
from tests.interop.stock import CHROMIUM_FLAGS
from tests.live import PATIENCE, PERSON_PASSWORD, LiveServer, live_server

pytestmark = pytest.mark.browser
_NUMBERS = itertools.count()
_VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
_CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(_VERIFIER.encode()).digest()).rstrip(b"=").decode()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM_FLAGS)
        try:
            yield browser
        finally:
            browser.close()


@pytest.fixture(params=[True, False], ids=["script", "no-script"])
def context(chromium: Browser, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    made = chromium.new_context(ignore_https_errors=True, java_script_enabled=request.param, timezone_id="Asia/Tokyo")
    made.set_default_timeout(1000 * PATIENCE)
    yield made
    made.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page; what Chromium complains about fails the test."""
    complaints: list[str] = []
    context.on("console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None)
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    yield context.new_page()
    # A refused form is answered with its status, which Chromium notes as an error of its own.
    assert [text for text in complaints if "Failed to load resource: the server responded with a status of 4" not in text] == []


@pytest.fixture(scope="module")
def person(server: LiveServer) -> str:
    """Somebody who only looks at their own pages."""
    return made_person(server)


def made_person(server: LiveServer) -> str:
    name = f"wendy{next(_NUMBERS)}"
    password = server.file(f"password-of-{name}", PERSON_PASSWORD)
    server.sealwright("person", "create", name, f"Wendy {name[5:]}")
    server.sealwright("person", "update", name, "--mail", f"{name}@example.org")
    server.sealwright("person", "set-password", name, "--password-file", password)
    server.sealwright("group", "add-members", "step-ca_users", name)
    return name


class _Answers(http.server.BaseHTTPRequestHandler):
    """A program that waits for the browser. `/onward/PORT` sends it on to another address."""

    def do_GET(self) -> None:
        self.server.visited.append(self.path)  # type: ignore[attr-defined]  # the list that `waiting_program` gives
        onward = re.match(r"/onward/(\d+)", self.path)
        body = b"<title>arrived</title>You can close this window."
        self.send_response(302 if onward else 200)
        if onward:
            self.send_header("location", f"http://localhost:{onward[1]}/end")
        self.send_header("content-type", "text/html")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing on standard error."""


class _OnIpv6(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6


@contextlib.contextmanager
def waiting_program(host: str = "127.0.0.1") -> Iterator[tuple[str, list[str]]]:
    """A program on this computer: its address, and the paths that were asked for."""
    kind = _OnIpv6 if ":" in host else http.server.ThreadingHTTPServer
    program, visited = kind((host, 0), _Answers), list[str]()
    program.visited = visited  # type: ignore[attr-defined]  # read by `_Answers`
    thread = threading.Thread(target=program.serve_forever, daemon=True)
    thread.start()
    shown = f"[{host}]" if ":" in host else host
    try:
        yield f"http://{shown}:{program.server_port}", visited
    finally:
        program.shutdown()
        program.server_close()
        thread.join()


def request_address(server: LiveServer, redirect_uri: str, **changes: str) -> str:
    asked = {
        "client_id": "step-ca",
        "redirect_uri": redirect_uri,
        "response_type": "code",
        "scope": "openid email",
        "state": "the-state",
        "code_challenge": _CHALLENGE,
        "code_challenge_method": "S256",
    } | changes
    return f"{server.people}/ui/oauth2?{urlencode(asked)}"


def type_in(page: Page, name: str) -> None:
    page.fill("#username", name)
    page.fill("#password", PERSON_PASSWORD)
    page.click("#sign-in")


def titled(page: Page, beginning: str) -> bool:
    """Wait until the page is the one whose title begins so; fails where it does not become that."""
    expect(page).to_have_title(re.compile("^" + re.escape(beginning)), timeout=1000 * PATIENCE)
    return page.title().startswith(beginning)


def sign_in(page: Page, server: LiveServer, name: str) -> None:
    page.goto(server.people)
    type_in(page, name)
    page.wait_for_url("**/ui/account")


# --- signing in and out ---


def test_sign_in_and_out_leaves_no_way_back(page: Page, server: LiveServer, person: str) -> None:
    sign_in(page, server, person)
    assert page.inner_text("#my-name") == person
    page.click("#sign-out")
    assert titled(page, "Signed out")
    page.goto(server.people + "/ui/account")
    assert page.locator("#password").count() == 1


def test_cookies_as_the_browser_keeps_them(page: Page, server: LiveServer, person: str) -> None:
    sign_in(page, server, person)
    kept = {cookie["name"]: cookie for cookie in page.context.cookies()}
    device = "__Host-sealwright_device"
    assert set(kept) == {"__Host-sealwright_session", "__Host-sealwright_csrf", device}
    for name, cookie in kept.items():
        hidden = name != "__Host-sealwright_csrf"  # a page reads that one, to call the API
        assert (cookie["httpOnly"], cookie["secure"], cookie["sameSite"]) == (hidden, True, "Lax")
        assert (cookie["path"], cookie["domain"]) == ("/", "localhost")
        assert (cookie["expires"] == -1) == (name != device)


def test_enter_in_the_password_signs_in_and_the_keyboard_is_enough(page: Page, server: LiveServer, person: str) -> None:
    page.goto(server.people)
    page.wait_for_selector("#username:focus")
    page.keyboard.type(person)
    page.keyboard.press("Tab")
    page.keyboard.type(PERSON_PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/ui/account")
    assert page.inner_text("#my-name") == person


def test_wrong_password_keeps_the_name_and_says_so(page: Page, server: LiveServer, person: str) -> None:
    page.goto(server.people)
    page.fill("#username", person)
    page.fill("#password", "wrong")
    page.click("#sign-in")
    assert titled(page, "The user name or password is not right · Sign in")
    assert page.input_value("#username") == person
    assert page.input_value("#password") == ""
    assert page.locator("#password:focus").count() == 1


def test_times_are_in_the_readers_zone_or_in_utc_and_say_which(page: Page, server: LiveServer, person: str) -> None:
    sign_in(page, server, person)
    moment = page.locator("td[data-label='Last used'] time").first
    shown, instant = moment.inner_text(), moment.get_attribute("datetime")
    assert instant is not None
    found = re.fullmatch(r"(\d+) \w+ \d{4}, (\d\d):(\d\d) (\S+)", shown)
    assert found is not None, shown
    utc = datetime.fromisoformat(instant)
    expected = utc if found[4] == "UTC" else utc.astimezone(ZoneInfo("Asia/Tokyo"))
    assert (int(found[2]), int(found[3])) == (expected.hour, expected.minute)


def test_second_factor_is_set_up_and_asked_for(page: Page, server: LiveServer) -> None:
    name = made_person(server)
    sign_in(page, server, name)
    page.click("#set-up")
    page.fill("#password", PERSON_PASSWORD)
    page.fill("#label", "phone")
    page.click("#begin")
    assert page.locator("svg.qr").bounding_box() is not None
    page.click("summary")
    secret = base64.b32decode(page.inner_text("#key").replace(" ", ""))
    step = int(time.time()) // 30
    page.fill("#code", code_at(secret, step))
    page.click("#confirm")
    assert "From now on" in page.inner_text("#notice")
    page.click("#sign-out")
    page.click("#sign-in")
    type_in(page, name)
    page.fill("#code", code_at(secret, step + 1))  # each code works once; the next one counts already
    page.click("#sign-in")
    page.wait_for_url("**/ui/account")


# --- for an application ---


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_consent_leads_back_to_a_program_on_this_computer(page: Page, server: LiveServer, host: str) -> None:
    """Chromium holds the redirect after a form against the page's policy."""
    name = made_person(server)
    with waiting_program(host) as (address, visited):
        page.goto(request_address(server, address))
        assert "to continue to Step-CA" in page.inner_text("main")
        type_in(page, name)
        assert address in page.inner_text("main")
        assert f"{name}@example.org" in page.inner_text("#claims")
        page.click("#allow")
        page.wait_for_url(f"{address}/**")
        sent = parse_qs(urlsplit(page.url).query)
        assert (sent["state"], sent["iss"]) == (["the-state"], [f"{server.people}/oauth2/openid/step-ca"])
        page.goto(request_address(server, address))  # asked again: any program could be listening there now
        assert f"{name}@example.org" in page.inner_text("#claims")
        page.click("#allow")
        assert titled(page, "arrived")
        assert len([path for path in visited if "code=" in path]) == 2


def test_application_may_send_the_browser_on_to_another_address(page: Page, server: LiveServer) -> None:
    name = made_person(server)
    with waiting_program() as (address, _), waiting_program("localhost") as (elsewhere, visited):
        page.goto(request_address(server, f"{address}/onward/{urlsplit(elsewhere).port}"))
        type_in(page, name)
        page.click("#allow")
        page.wait_for_url(f"{elsewhere}/end")
        assert visited[0] == "/end"


@pytest.mark.parametrize("button", ["#deny", "#cancel"])
def test_refusing_leads_back_with_an_error(page: Page, server: LiveServer, button: str) -> None:
    name = made_person(server)
    with waiting_program() as (address, _):
        page.goto(request_address(server, address))
        if button == "#deny":
            type_in(page, name)
        page.click(button)
        page.wait_for_url(f"{address}/**")
        assert parse_qs(urlsplit(page.url).query)["error"] == ["access_denied"]


def test_not_you_signs_someone_else_in(page: Page, server: LiveServer) -> None:
    first, second = made_person(server), made_person(server)
    with waiting_program() as (address, _):
        page.goto(request_address(server, address))
        type_in(page, first)
        page.click("#not-you")
        assert first in page.inner_text("#present")
        type_in(page, second)
        assert f"{second}@example.org" in page.inner_text("#claims")


def test_back_after_allowing_tells_that_the_request_is_answered(page: Page, server: LiveServer) -> None:
    name = made_person(server)
    with waiting_program() as (address, _):
        page.goto(request_address(server, address))
        type_in(page, name)
        page.click("#allow")
        page.wait_for_url(f"{address}/**")
        page.go_back()
        assert titled(page, "This request is no longer open")


def test_window_that_an_application_opened_can_tell_it_when_it_comes_back(chromium: Browser, server: LiveServer) -> None:
    name = made_person(server)
    context = chromium.new_context(ignore_https_errors=True)
    context.set_default_timeout(1000 * PATIENCE)
    with waiting_program() as (address, _):
        application = context.new_page()
        application.goto(address)
        with application.expect_popup() as opened:
            application.evaluate("address => { window.open(address, 'sign-in') }", request_address(server, address))
        window = opened.value
        window.wait_for_selector("#username")
        type_in(window, name)
        window.click("#allow")
        window.wait_for_url(f"{address}/**")
        assert window.evaluate("window.opener !== null")
    context.close()


# --- other sites ---


def test_form_of_another_site_is_refused_and_comes_without_the_session(page: Page, server: LiveServer, person: str) -> None:
    sign_in(page, server, person)
    with waiting_program() as (address, _):
        for path in ("/ui/sign-out", "/ui/account/sessions/end-others", "/ui/sign-in"):
            page.goto(address)
            page.set_content(f"<form method=post action='{server.people}{path}'><button id=go>win a prize</button></form>")
            page.click("#go")
            assert titled(page, "Sent from another site")
    page.goto(server.people + "/ui/account")
    assert page.inner_text("#my-name") == person


def test_no_other_site_can_put_a_page_into_a_frame(chromium: Browser, server: LiveServer) -> None:
    context = chromium.new_context(ignore_https_errors=True)
    context.set_default_timeout(1000 * PATIENCE)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    with waiting_program() as (address, _):
        page.goto(address)
        page.set_content(f"<iframe src='{server.people}/ui/sign-in'></iframe>")
        for _ in range(600):
            if any("frame-ancestors" in text for text in complaints):
                break
            page.wait_for_timeout(100)
        assert any("frame-ancestors" in text for text in complaints)
        assert all("/ui/sign-in" not in frame.url for frame in page.frames)
    context.close()


def test_injected_script_and_style_would_not_run(chromium: Browser, server: LiveServer) -> None:
    context = chromium.new_context(ignore_https_errors=True)
    context.set_default_timeout(1000 * PATIENCE)
    page = context.new_page()
    page.goto(server.people + "/ui/sign-in")
    with contextlib.suppress(Exception):  # trusted types refuse it outright
        page.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.hit = 1\">')")
    page.evaluate("(s => { s.setAttribute('style', 'position: fixed'); document.body.append(s) })(document.createElement('p'))")
    assert page.evaluate("getComputedStyle(document.body.lastElementChild).position") == "static"
    assert page.evaluate("window.hit") is None
    context.close()


# --- how it looks ---


@pytest.mark.parametrize("width", [320, 390, 1_200])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_fit_the_width_and_follow_the_scheme(
    chromium: Browser, server: LiveServer, person: str, width: int, scheme: str
) -> None:
    context = chromium.new_context(
        ignore_https_errors=True, viewport={"width": width, "height": 800}, color_scheme="dark" if scheme == "dark" else "light"
    )
    page = context.new_page()
    sign_in(page, server, person)
    brightness = "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).reduce((sum, part) => sum + +part, 0)"
    for path in ("", "/password", "/authenticator", "/applications", "/certificates"):
        page.goto(f"{server.people}/ui/account{path}")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        assert (page.evaluate(brightness) > 382) == (scheme == "light")
    if page.locator(".menu-button").is_visible():
        page.click(".menu-button")
    page.click("#sign-out")
    for path in ("/ui/signed-out", "/ui/sign-in", "/ui/nowhere"):
        page.goto(server.people + path)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
    assert titled(page, "There is nothing here")
    context.close()


@pytest.mark.parametrize("width", [320, 390])
def test_application_with_the_longest_name_fits_a_phone(chromium: Browser, server: LiveServer, person: str, width: int) -> None:
    client, landing = f"long-{width}", "https://wiki.example.org/"
    server.sealwright("system", "oauth2", "create-public", client, "W" * 200, landing)
    server.sealwright("system", "oauth2", "update-scope-map", client, "step-ca_users", "openid")
    context = chromium.new_context(ignore_https_errors=True, viewport={"width": width, "height": 800})
    page = context.new_page()
    page.goto(request_address(server, landing, client_id=client, scope="openid"))
    assert page.locator("#cancel").count() == 1
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    type_in(page, person)
    page.wait_for_selector("#allow")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.goto(f"{server.people}/ui/account/applications")
    assert "WWWWWW" in page.inner_text("#usable")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    context.close()


# --- the first administrator ---


def welcome_link(server: LiveServer) -> str:
    """What the server printed; it is printed a moment after it began to listen."""
    wanted = re.compile(r"https://\S+/welcome/\S+")
    found = wanted.search(server.wait_for_log(wanted.search))
    assert found is not None
    return found[0]


def test_welcome_link_of_a_new_server(page: Page, tmp_path_factory: pytest.TempPathFactory) -> None:
    with live_server(tmp_path_factory.mktemp("new"), set_up=False) as new:
        link = welcome_link(new)
        page.goto(link)
        page.fill("#username", "alice")
        page.fill("#display-name", "Alice Example")
        page.fill("#mail", "alice@example.org")
        page.fill("#password", PERSON_PASSWORD)
        page.fill("#password-again", PERSON_PASSWORD)
        page.click("#create")
        page.wait_for_url("**/ui/account")
        assert "system_admins" in page.inner_text("#my-groups")
        page.goto(link)
        assert titled(page, "This link does not work any more")
        assert page.inner_text("#command") == "sealwright recover-account admin"
