"""Sign-in with a real Keycloak 26: groups as names and as paths, HS256 in its list, new keys, sign-out there, and the guide.

It takes seconds to start, so everything that needs one is in this file.
"""

from http import HTTPStatus

import pytest

from demo.forms import Browser
from tests.documentation.pages import missing_line, steps, variables
from tests.documentation.shell import shell
from tests.interop.keycloak import REALM, keycloak
from tests.interop.sign_on_place import CLIENT, CLIENT_SECRET, SignOnPlace
from tests.live import free_ports, wait_until
from tests.reference_script import ROOT

PEOPLE = {
    "erin": ("erin-walks-through-9-gardens", ("engineers",)),
    "olaf": ("olaf-counts-71-grey-stones", ("outsiders",)),
    # Of someone with several sessions, Keycloak notifies each client of one alone.
    "rosa": ("rosa-paints-5-narrow-boats", ("engineers",)),
}


class Place(SignOnPlace):
    """Our server with a key of the API, and Keycloak beside it."""

    def __init__(self, server, staff, key):
        super().__init__(server, staff.issuer)
        self.staff, self.key = staff, key

    def lenient(self, name, group, role, client_id=CLIENT):
        """A provider of which one group gives a role, though HS256 is in its list; its id."""
        return self.mapped(name, group, role, "--downgrade-rule", "intersection", client_id=client_id)

    def sign_on(self, provider, person):
        """The browser and the page that a person arrives at."""
        browser = Browser(self.server.root)
        page = browser.open(self.begin(provider))
        return browser, browser.submit(page, "kc-login", username=person, password=PEOPLE[person][0])


@pytest.fixture(scope="module")
def place(server, tmp_path_factory):
    server.sealwright("service-account", "create", "test-keycloak", "Robot")
    server.sealwright("group", "add-members", "system_admins", "test-keycloak")
    key = server.sealwright_json("service-account", "api-token", "generate", "test-keycloak", "guide", "--readwrite")
    with keycloak(server, tmp_path_factory.mktemp("keycloak"), PEOPLE) as staff:
        yield Place(server, staff, key["token"])


def test_keycloak_lists_hs256_which_the_strict_rule_refuses_by_name(place):
    secret = place.server.file("strict-secret", CLIENT_SECRET)
    wanted = ("oidc-provider", "create", "Strict", place.staff.issuer, "sealwright", "--client-secret-file", secret)
    refused = place.server.attempt(*wanted)
    assert refused.returncode != 0
    assert "HS256" in refused.stderr
    assert "intersection" in refused.stderr


def test_person_of_keycloak_signs_in_by_the_name_of_a_group_and_it_is_explained(place):
    provider = place.lenient("Names", "engineers", "r-operator")
    browser, page = place.sign_on(provider, "erin")
    assert page.url == f"{place.server.people}/ui/account", page.text
    assert "Erin Staff" in page.text
    (sign_in,) = place.listed("oidc-provider", "sign-ins", "--provider", provider)
    told = place.server.sealwright("oidc-provider", "explain", sign_in["id"])
    assert "claim groups (id_token): engineers" in told
    assert "group engineers gave r-operator: " in told
    assert place.is_signed_in(browser)


def test_full_group_path_of_keycloak_is_another_group_and_the_nearest_is_named(place):
    provider = place.lenient("Paths", "engineers", "r-viewer", "sealwright-paths")
    _, page = place.sign_on(provider, "erin")
    assert page.status == HTTPStatus.FORBIDDEN
    assert "<code>/engineers</code>" in page.text
    assert "The group /engineers is mapped as engineers" in page.text
    place.server.sealwright("oidc-provider", "map-group", provider, "/engineers", "r-viewer")
    _, page = place.sign_on(provider, "erin")
    assert page.url == f"{place.server.people}/ui/account", page.text


def test_person_of_keycloak_without_a_mapped_group_is_refused_with_the_groups_seen(place):
    provider = place.lenient("Outsiders", "engineers", "r-viewer")
    browser, page = place.sign_on(provider, "olaf")
    assert page.status == HTTPStatus.FORBIDDEN
    assert "<code>outsiders</code>" in page.text
    assert not place.is_signed_in(browser)


def test_new_key_of_keycloak_is_fetched_by_itself(place):
    provider = place.lenient("Rotated", "engineers", "r-viewer")
    place.sign_on(provider, "erin")
    before = place.server.sealwright_json("oidc-provider", "key-status", provider)
    parent = place.staff.administer("GET", REALM)["id"]
    component = {
        "name": "newer",
        "providerId": "rsa-generated",
        "providerType": "org.keycloak.keys.KeyProvider",
        "parentId": parent,
        "config": {"priority": ["200"], "enabled": ["true"], "active": ["true"], "algorithm": ["RS256"]},
    }
    place.staff.administer("POST", f"{REALM}/components", component)
    newest = place.staff.administer("GET", f"{REALM}/keys")["active"]["RS256"]
    assert newest not in [key["kid"] for key in before["keys"]]

    def signs_in():
        return place.sign_on(provider, "erin")[1].url == f"{place.server.people}/ui/account"

    assert signs_in(), "the new key was not fetched with the first token that has it"
    assert [each["outcome"] for each in place.listed("oidc-provider", "sign-ins", "--provider", provider, "--limit", "1")] == [
        "done"
    ]


def test_sign_out_at_keycloak_ends_the_session_here(place):
    provider = place.lenient("Logout", "engineers", "r-viewer")
    browser, page = place.sign_on(provider, "rosa")
    assert place.is_signed_in(browser), page.text
    (rosa,) = place.staff.administer("GET", f"{REALM}/users?username=rosa&exact=true")
    place.staff.administer("POST", f"{REALM}/users/{rosa['id']}/logout")
    wait_until(lambda: not place.is_signed_in(browser), "the end of the session")
    found = place.listed("audit", "list", "--event", "oidc_logout.received", "--limit", "20")
    assert "done" in {event["outcome"] for event in found}


def test_stock_step_gets_a_certificate_for_a_person_of_keycloak(place, ours):
    (port,) = free_ports(1)
    discovery = f"{place.staff.issuer}/.well-known/openid-configuration"
    where = ("--configuration-endpoint", discovery, "--listen-address", f"127.0.0.1:{port}")
    place.server.sealwright("provisioner", "add", "staff", "--type", "oidc", "--client-id", "step", *where)
    user = ours.user("erin").bootstrap()

    def sign_in(address):
        browser = Browser(place.server.root)
        browser.submit(browser.open(address), "kc-login", username="erin", password=PEOPLE["erin"][0])

    printed, status = user.certificate_by_sign_in("erin@example.org", provisioner="staff", signs_in=sign_in)
    assert status == 0, printed
    short = user.step("certificate", "inspect", "--short", "personal.crt")
    assert "Provisioner: staff" in " ".join(short.split())
    assert "erin@example.org" in short


def test_curl_commands_of_the_guide_work_as_written(place, tmp_path):
    environment = {
        "SERVER": place.server.people,
        "KEY": place.key,
        "ISSUER": place.staff.issuer,
        "SECRET": CLIENT_SECRET,
        "CURL_CA_BUNDLE": str(place.server.root),
    }
    written = steps(ROOT / "docs" / "howto" / "single-sign-on-step-by-step.md")
    assert variables(written[0].commands).keys() == environment.keys()
    with shell(tmp_path, environment, print) as session:
        for step in written[1:]:
            printed = session.run(step.commands)
            missing = missing_line(step.expected, printed)
            assert missing is None, f"line {step.line}: nothing like {missing!r} was printed, but:\n{printed}"
            if "login_url" in step.commands:
                browser, page = place.sign_on(printed.rpartition("provider=")[2].strip(), "erin")
                assert place.is_signed_in(browser), page.text
    assert not place.is_signed_in(browser)
