"""My API keys and those of everyone, in a browser without JavaScript."""

import re
from collections.abc import Iterator

import pytest

from sealwright.access import SYSTEM
from sealwright.http import Peer, Request
from sealwright.identity.api_keys.secret import API_KEY_PATTERN
from tests.pages_place import ORIGIN, Place, pages_place

MINE, ALL = ORIGIN + "/ui/account/keys", ORIGIN + "/ui/keys"


@pytest.fixture
def place() -> Iterator[Place]:
    with pages_place() as made:
        yield made


def status_with(place, key):
    request = Request("GET", "/api/v1/persons", headers={"authorization": f"Bearer {key}"}, peer=Peer("192.0.2.1"))
    return place.run(place.app.call(request)).status


def csrf_token(browser):
    forms = browser.open(MINE).parsed().forms
    return next(form for form in forms if form.action.endswith("/ui/account/keys")).fields["csrf_token"]


def make(place, browser, name="backup", scopes="person:read group:read"):
    token = csrf_token(browser)
    page = browser.post("/ui/account/keys", {"csrf_token": token, "name": name, "scopes": scopes, "days": "30"})
    found = re.findall(API_KEY_PATTERN, page.text)
    assert found, page.text
    return found[0], token


def test_key_is_made_shown_once_narrowed_rotated_and_revoked_on_pages(place):
    place.person("root", "system_admins")
    browser = place.signed_in("root")
    assert "You have made none yet." in browser.open(MINE).text
    key, token = make(place, browser)
    assert status_with(place, key) == 200
    page = browser.open(MINE)
    assert key not in page.text
    assert key[:21] in page.text
    (one,) = set(re.findall(r"/ui/account/keys/[0-9a-f-]{36}", page.text))
    assert "Never used with" in browser.open(ORIGIN + one).text
    page = browser.post(f"{one}/narrow", {"csrf_token": token})
    assert (page.status, "The key may do less from now on." in page.text, "group:read" in page.text) == (200, True, False)
    successor = re.findall(API_KEY_PATTERN, browser.post(f"{one}/rotate", {"csrf_token": token}).text)[0]
    assert (status_with(place, key), status_with(place, successor)) == (200, 200)
    assert browser.post(f"{one}/rotate", {"csrf_token": token}).status == 422
    page = browser.post(f"{one}/revoke", {"csrf_token": token})
    assert "The key was revoked." in page.text
    assert (status_with(place, key), status_with(place, successor)) == (401, 200)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"name": "", "scopes": "person:read"}, "Give the key a name."),
        ({"name": "x", "scopes": ""}, "Say what the key may do"),
        ({"name": "x", "scopes": "person:eat"}, "neither a permission nor a role"),
    ],
)
def test_form_says_what_is_wrong_and_keeps_what_was_typed(place, fields, words):
    place.person("root", "system_admins")
    browser = place.signed_in("root")
    token = csrf_token(browser)
    page = browser.post("/ui/account/keys", {"csrf_token": token, "days": "30", **fields})
    assert page.status == 422
    assert words in page.text
    assert all(f'value="{value}"' in page.text for value in fields.values() if value)


def test_keys_of_everyone_are_seen_and_revoked_by_who_may(place):
    for name, group in (("root", "system_admins"), ("pam", "idm_people_admins"), ("mallory", "staff")):
        place.person(name, group)
    key, _ = make(place, place.signed_in("root"))
    pam = place.signed_in("pam")
    page = pam.open(ALL)
    assert "root" in page.text
    form = next(form for form in page.parsed().forms if form.action.endswith("/ui/keys/revoke"))
    assert "The key was revoked." in pam.post("/ui/keys/revoke", form.fields).text
    assert status_with(place, key) == 401
    assert place.signed_in("mallory").open(ALL).status == 403


def test_someone_with_a_role_to_read_sees_no_buttons_that_end_keys(place):
    place.person("root", "system_admins")
    place.person("vera")
    place.run(place.identity.roles.grant("r-viewer", person="vera", actor=SYSTEM))
    make(place, place.signed_in("root"))
    page = place.signed_in("vera").open(ALL)
    assert "backup" in page.text
    assert "/ui/keys/revoke" not in page.text
