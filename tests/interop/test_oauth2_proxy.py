"""The stock oauth2-proxy in front of an application: a browser's parallel requests all refresh, and no one is signed out."""

import http.client
import os
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from demo.forms import Browser, sign_in_and_allow
from tests.live import PERSON_PASSWORD, TOOLS, end, free_ports, wait_for_port

PROXY = TOOLS / "oauth2-proxy"
REFRESH_AFTER = 1.0
TABS = 6


@contextmanager
def oauth2_proxy(server, place):
    """A proxy whose cookie is refreshed after a second; yields its address."""
    if not PROXY.exists():
        missing = "build/tools/oauth2-proxy is missing: run scripts/install-go-clients"
        pytest.fail(missing) if os.environ.get("CI") else pytest.skip(missing)
    (port,) = free_ports(1)
    address = f"http://127.0.0.1:{port}"
    oauth2 = ("system", "oauth2")
    server.sealwright(*oauth2, "create", "proxy", "Proxy", address)
    server.sealwright(*oauth2, "add-redirect-url", "proxy", f"{address}/oauth2/callback")
    server.sealwright(*oauth2, "update-scope-map", "proxy", "step-ca_users", "openid", "email", "profile")
    secret = server.file("proxy-secret", server.sealwright(*oauth2, "show-basic-secret", "proxy").strip())
    log = place / "oauth2-proxy.log"
    options = {
        "provider": "oidc",
        "oidc-issuer-url": f"{server.people}/oauth2/openid/proxy",
        "provider-ca-file": server.root,
        "client-id": "proxy",
        "client-secret-file": secret,
        "code-challenge-method": "S256",
        "redirect-url": f"{address}/oauth2/callback",
        "http-address": f"127.0.0.1:{port}",
        "upstream": "static://202",
        "email-domain": "*",
        "insecure-oidc-allow-unverified-email": "true",
        "cookie-secret": "0123456789abcdef0123456789abcdef",
        "cookie-secure": "false",
        "cookie-refresh": f"{REFRESH_AFTER:.0f}s",
        "skip-provider-button": "true",
    }
    command = [str(PROXY), *(f"--{name}={value}" for name, value in options.items())]
    with log.open("wb") as output:
        process = subprocess.Popen(command, env={}, cwd=place, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        wait_for_port(port, process, log)
        yield address, log
    finally:
        end(process)


def asked(address, cookies):
    """Status of one request of a tab, and the cookies that it is given."""
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=30)
    try:
        cookie = "; ".join(f"{name}={value}" for name, value in cookies.items())
        connection.request("GET", "/oauth2/auth", headers={"Cookie": cookie})
        answer = connection.getresponse()
        answer.read()
        given = [value.partition(";")[0].partition("=") for value in answer.headers.get_all("set-cookie", [])]
        return answer.status, {name: value for name, _, value in given}
    finally:
        connection.close()


def test_parallel_refreshes_of_one_browser_all_succeed_again_and_again(server, tmp_path: Path):
    with oauth2_proxy(server, tmp_path) as (address, log):
        browser = Browser(server.root)
        page = sign_in_and_allow(browser, f"{address}/", "alice", PERSON_PASSWORD)
        assert (page.url.rstrip("/"), page.status) == (address, 202), page.title
        cookies = dict(browser.cookies[address])
        for _ in range(2):
            time.sleep(REFRESH_AFTER + 1)
            with ThreadPoolExecutor(TABS) as tabs:
                answers = list(tabs.map(lambda _: asked(address, cookies), range(TABS)))  # noqa: B023 - it ends in this round
            assert [status for status, _ in answers] == [202] * TABS, log.read_text()
            renewed = [given for _, given in answers if given]
            assert renewed, "nothing was refreshed"
            cookies |= renewed[-1]
