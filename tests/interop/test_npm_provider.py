"""Sign-in with the OpenID provider of npm, oidc-provider: groups in the ID token and at userinfo, new keys, sign-out there."""

from http import HTTPStatus
from urllib.parse import urlencode, urljoin

import pytest

from demo.forms import Browser
from tests.interop.client_programs import npm_client
from tests.interop.sign_on_place import CLIENT, CLIENT_SECRET, SignOnPlace
from tests.interop.wire import server_certificate
from tests.live import free_ports, wait_until

HOST = "127.0.0.3"
"""Loopback too, and none of the names of the server, which certifies those for no one else."""
PEOPLE = {
    "greta": {"name": "Greta Foreign", "email": "greta@example.org", "groups": ["engineers", "everyone"]},
    "otto": {"name": "Otto Foreign", "groups": ["outsiders"]},
}


class FormBrowser(Browser):
    """Presses the only button of forms that give their buttons and fields no ids."""

    def press(self, page, **fields):
        (form,) = page.parsed().forms
        return self._request("POST", urljoin(page.url, form.action), urlencode(form.fields | fields), came_from=page.url)


class Place(SignOnPlace):
    """Our server, and the provider beside it."""

    def __init__(self, server, program, issuers):
        super().__init__(server, issuers[0])
        self.program, self.userinfo_issuer = program, issuers[1]

    def sign_on(self, provider, person):
        """The browser and the page that a person arrives at: they say who they are there, and allow it."""
        browser = FormBrowser(self.server.root)
        page = browser.press(browser.open(self.begin(provider)), login=person, password="anything")
        return browser, browser.press(page)


@pytest.fixture(scope="module")
def place(server, tmp_path_factory):
    ports = free_ports(2)
    chain, key = server_certificate(server, HOST, "npm-provider")
    settings = {"host": HOST, "ports": ports, "certificate": str(chain), "key": str(key), "relying_party": server.people}
    settings |= {"client_id": CLIENT, "client_secret": CLIENT_SECRET, "people": PEOPLE}
    with npm_client("foreign_provider.mjs", server, tmp_path_factory.mktemp("npm-provider"), **settings) as program:
        assert program.receive() == {"ready": True}
        yield Place(server, program, [f"https://{HOST}:{port}" for port in ports])


@pytest.fixture(scope="module")
def provider(place):
    """The issuer with groups in the ID token, stored by the strict rule; one group gives a role."""
    return place.mapped("Npm", "engineers", "r-operator", "--scope", "openid", "--scope", "profile", "--scope", "groups")


def test_group_in_the_id_token_of_the_npm_provider_gives_its_role(place, provider):
    browser, page = place.sign_on(provider, "greta")
    assert page.url == f"{place.server.people}/ui/account", page.text
    assert "Greta Foreign" in page.text
    assert place.is_signed_in(browser)
    (sign_in,) = place.listed("oidc-provider", "sign-ins", "--provider", provider, "--limit", "1")
    told = place.server.sealwright("oidc-provider", "explain", sign_in["id"])
    assert "claim groups (id_token): engineers, everyone" in told
    assert "group engineers gave r-operator: " in told


def test_person_of_the_npm_provider_without_a_mapped_group_is_refused_with_the_groups_seen(place, provider):
    browser, page = place.sign_on(provider, "otto")
    assert page.status == HTTPStatus.FORBIDDEN
    assert "<code>outsiders</code>" in page.text
    assert not place.is_signed_in(browser)
    (sign_in,) = place.listed("oidc-provider", "sign-ins", "--provider", provider, "--limit", "1")
    assert "failed check: unmapped_groups" in place.server.sealwright("oidc-provider", "explain", sign_in["id"])


def test_groups_that_the_npm_provider_tells_at_userinfo_alone_count_where_it_is_asked(place):
    scopes = ("--scope", "openid", "--scope", "groups")
    made = place.mapped("Npm-userinfo", "engineers", "r-viewer", *scopes, issuer=place.userinfo_issuer)
    _, page = place.sign_on(made, "greta")
    assert page.status == HTTPStatus.FORBIDDEN
    assert "groups_missing" in page.text
    place.server.sealwright("oidc-provider", "update", made, "--userinfo-groups")
    _, page = place.sign_on(made, "greta")
    assert page.url == f"{place.server.people}/ui/account", page.text
    (sign_in,) = place.listed("oidc-provider", "sign-ins", "--provider", made, "--limit", "1")
    assert "claim groups (userinfo): engineers" in place.server.sealwright("oidc-provider", "explain", sign_in["id"])


def test_new_key_of_the_npm_provider_is_fetched_by_itself(place, provider):
    place.sign_on(provider, "greta")
    before = {key["kid"] for key in place.server.sealwright_json("oidc-provider", "key-status", provider)["keys"]}
    place.program.send({"rotate": True})
    newest = place.program.receive()["kids"][0]
    assert newest not in before
    _, page = place.sign_on(provider, "greta")
    assert page.url == f"{place.server.people}/ui/account", page.text


def test_sign_out_at_the_npm_provider_ends_the_session_here_and_no_other(place, provider):
    browser, page = place.sign_on(provider, "greta")
    assert place.is_signed_in(browser), page.text
    other, _ = place.sign_on(provider, "greta")
    asked = browser.open(f"{place.issuer}/session/end?{urlencode({'client_id': CLIENT})}")
    assert "Sign-out" in browser.press(asked, logout="yes").title
    wait_until(lambda: not place.is_signed_in(browser), "the end of the session")
    assert place.is_signed_in(other)
    (event,) = place.listed("audit", "list", "--event", "oidc_logout.received", "--limit", "1")
    assert (event["outcome"], event["details"]["named_by"], event["details"]["sessions"]) == ("done", "sid", 1)
