"""What someone may not do is said within the console: what it needs, and who has that."""

from tests.pages_place import ORIGIN, PASSWORD, pages_place
from tests.unit.web.reading import Reading


def test_someone_without_the_permission_sees_what_it_needs_and_who_has_it():
    with pages_place() as place:
        place.person("alice")
        page = place.signed_in("alice").open(f"{ORIGIN}/ui/clients")
        assert page.status == 403
        reading = Reading(page.text)
        assert reading.by_id("menu") is not None
        reasons = reading.by_id("reasons").text
        assert "client:read is held by members of system_admins, idm_admins, idm_oauth2_admins" in reasons


def test_thing_that_is_not_there_is_said_within_the_console_with_a_way_back():
    with pages_place() as place:
        place.person("admin1", "system_admins")
        page = place.signed_in("admin1").open(f"{ORIGIN}/ui/clients/nothing")
        assert page.status == 404
        assert Reading(page.text).by_id("back").attributes["href"] == "/ui/clients"


def test_deep_link_comes_back_after_the_sign_in():
    with pages_place() as place:
        place.person("admin1", "system_admins")
        browser = place.browser()
        page = browser.open(f"{ORIGIN}/ui/clients?after=a")
        page = browser.submit(page, "sign-in", username="admin1", password=PASSWORD)
        assert page.url == f"{ORIGIN}/ui/clients?after=a"
