"""Sign-out at a real Keycloak, of its own start: of someone with several sessions it tells each client of one alone."""

from tests.interop.keycloak import REALM
from tests.interop.test_keycloak import place  # noqa: F401 - a fixture, which pytest finds by this name
from tests.live import wait_until


def test_sign_out_at_keycloak_ends_the_session_here(place):  # noqa: F811 - the fixture
    provider = place.mapped("Logout", "engineers", "r-viewer")
    browser, page = place.sign_on(provider, "erin")
    assert place.is_signed_in(browser), page.text
    (erin,) = place.staff.administer("GET", f"{REALM}/users?username=erin&exact=true")
    place.staff.administer("POST", f"{REALM}/users/{erin['id']}/logout")
    wait_until(lambda: not place.is_signed_in(browser), "the end of the session")
    found = place.listed("audit", "list", "--event", "oidc_logout.received", "--limit", "20")
    assert "done" in {event["outcome"] for event in found}
