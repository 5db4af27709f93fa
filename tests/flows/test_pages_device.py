"""Signing in on a device, decided in a browser without JavaScript."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest

from sealwright.access import SYSTEM
from sealwright.http import Peer, Request
from tests.pages_place import ORIGIN, PASSWORD, Place, authorization_address, pages_place

DEVICE = f"{ORIGIN}/ui/oauth2/device"


@pytest.fixture
def place() -> Iterator[Place]:
    with pages_place() as made:
        made.person("alice", "users")
        made.application()
        made.run(made.oauth.clients.change("step-ca", {"device_grant": True}, actor=SYSTEM))
        yield made


def post(place: Place, path: str, **form: str) -> dict[str, Any]:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    request = Request("POST", path, "", headers, urlencode(form).encode(), peer=Peer("192.0.2.9"), request_id="r-1")
    return msgspec.json.decode(place.call(request).body, type=dict[str, Any])


def asked(place: Place) -> dict[str, Any]:
    return post(place, "/oauth2/device", client_id="step-ca", scope="openid email")


def polled(place: Place, codes: dict[str, Any]) -> dict[str, Any]:
    grant_type = "urn:ietf:params:oauth:grant-type:device_code"
    return post(place, "/oauth2/token", client_id="step-ca", grant_type=grant_type, device_code=codes["device_code"])


def test_person_types_the_code_signs_in_and_allows_the_device(place: Place) -> None:
    codes = asked(place)
    browser = place.browser()
    page = browser.submit(browser.open(DEVICE), "continue", user_code=codes["user_code"].lower())
    assert page.title.startswith("Sign in")
    page = browser.submit(page, "sign-in", username="alice", password=PASSWORD)
    assert "Step-CA asks to know who you are" in page.text
    assert codes["user_code"] in page.text
    assert "You go back to" not in page.text
    page = browser.submit(page, "allow")
    assert "The device has access" in page.text
    assert "id_token" in polled(place, codes)


def test_address_with_the_code_fills_it_in_and_waits_for_the_person(place: Place) -> None:
    codes = asked(place)
    browser = place.signed_in()
    page = browser.open(codes["verification_uri_complete"])
    assert f'value="{codes["user_code"]}"' in page.text
    assert polled(place, codes)["error"] == "authorization_pending"
    page = browser.submit(page, "continue")
    page = browser.submit(page, "deny")
    assert "The device has no access" in page.text
    assert polled(place, codes)["error"] == "access_denied"


@pytest.mark.parametrize("typed", ["", "WDJB-MJHT", "nothing", '"><script>'])
def test_code_that_no_device_waits_with_is_told_at_the_field(place: Place, typed: str) -> None:
    browser = place.browser()
    page = browser.submit(browser.open(DEVICE), "continue", user_code=typed)
    assert page.status == 422
    assert 'id="user_code-problem"' in page.text
    assert "<script>" not in page.text


def test_form_of_another_site_is_refused(place: Place) -> None:
    codes = asked(place)
    page = place.signed_in().post("/ui/oauth2/device", {"user_code": codes["user_code"]})
    assert page.status == 400
    assert polled(place, codes)["error"] == "authorization_pending"


def test_consent_page_shows_what_goes_beyond_scopes(place: Place) -> None:
    members = {"authorization_details_types": ["payment_initiation"], "resources": ["https://api.example.org/"]}
    place.run(place.oauth.clients.change("step-ca", members, actor=SYSTEM))
    details = [
        {
            "type": "payment_initiation",
            "instructedAmount": {"currency": "EUR", "amount": "12.50"},
            "creditorName": "<b>Bakery</b>",
            "actions": ["initiate", "status"],
            "lines": [{"text": "Bread"}],
            "urgent": False,
            "note": None,
        }
    ]
    address = authorization_address(
        authorization_details=msgspec.json.encode(details).decode(), resource="https://api.example.org/"
    )
    text = place.signed_in().open(address).text
    for shown in ("Payment initiation", "Instructed amount: Currency", "EUR", "12.50", "&lt;b&gt;Bakery&lt;/b&gt;"):
        assert shown in text
    for shown in ("initiate, status", "Lines 1: Text", "Bread", "https://api.example.org/", "this is about one occasion"):
        assert shown in text
