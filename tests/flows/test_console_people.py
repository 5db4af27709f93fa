"""People and groups in the console: who may see and do what, and what it leaves behind."""

import base64
from datetime import timedelta

import pytest

from sealwright.access import SYSTEM
from sealwright.identity.totp import code_at, step_at
from tests.app import PASSWORD
from tests.foreign_provider import ForeignProvider, described
from tests.pages_place import ORIGIN, pages_place
from tests.unit.web.reading import Reading


@pytest.fixture
def place():
    with pages_place() as made:
        yield made


def administrator(place, *groups):
    place.person("root1", *(groups or ("system_admins",)))
    return place.signed_in("root1")


def test_list_of_people_is_searched_and_paged_by_name(place):
    browser = administrator(place)
    for number in range(55):
        place.run(place.identity.directory.create_person(f"p{number:02}", f"Person {number}", actor=SYSTEM))
    first = browser.open(f"{ORIGIN}/ui/people")
    more = Reading(first.text).by_id("more").attributes["href"]
    assert "/ui/people/p00" in first.text
    assert "/ui/people/p54" not in first.text
    assert "/ui/people/p54" in browser.open(ORIGIN + more).text
    found = browser.open(f"{ORIGIN}/ui/people?q=person+54").text
    assert "/ui/people/p54" in found
    assert "/ui/people/p00" not in found


def test_person_shows_roles_with_their_source_and_ways_in(place):
    browser = administrator(place)
    place.person("bob", "ca_admins")
    page = browser.open(f"{ORIGIN}/ui/people/bob").text
    assert "r-ca-admin" in page
    assert "by the group ca_admins" in page
    assert "built in" in page
    assert "password" in page


def test_person_is_disabled_after_the_impact_was_shown_and_enabled_again(place):
    browser = administrator(place)
    place.person("bob")
    bobs = place.signed_in("bob")
    question = browser.open(f"{ORIGIN}/ui/people/bob/disable")
    assert '<strong class="number">1</strong> sessions end at once' in question.text
    page = browser.submit(question, "confirm")
    assert page.url == f"{ORIGIN}/ui/people/bob"
    assert "Its sessions and tokens ended" in page.text
    assert bobs.open(f"{ORIGIN}/ui/account").url.startswith(f"{ORIGIN}/ui/sign-in")
    page = browser.submit(page, "enable")
    assert "enabled again" in page.text
    assert [outcome for outcome, _ in place.events("person.disabled")] == ["done"]


def test_second_factors_of_someone_who_lost_them_are_removed_and_the_password_alone_signs_in(place):
    browser = administrator(place)
    actor = place.person("bob").as_actor()
    assert Reading(browser.open(f"{ORIGIN}/ui/people/bob").text).by_id("remove-second-factors") is None
    made = place.run(place.identity.credentials.begin_totp(PASSWORD, actor=actor))
    code = code_at(base64.b32decode(made.secret), step_at(place.clock.now()))
    place.run(place.identity.credentials.confirm_totp(code, actor=actor))
    assert Reading(browser.open(f"{ORIGIN}/ui/people/bob").text).by_id("remove-second-factors") is not None
    page = browser.submit(browser.open(f"{ORIGIN}/ui/people/bob/second-factors"), "confirm")
    assert (page.url, "second factors and passkeys were removed" in page.text) == (f"{ORIGIN}/ui/people/bob", True)
    assert Reading(page.text).by_id("remove-second-factors") is None
    assert place.signed_in("bob").open(f"{ORIGIN}/ui/account").title == "My account · Example"
    refused = browser.submit(browser.open(f"{ORIGIN}/ui/people/admin/second-factors"), "confirm")
    assert (refused.status, "admin is built in" in refused.text) == (409, True)


def test_change_needs_a_recent_sign_in(place):
    browser = administrator(place)
    place.person("bob")
    place.clock.advance(timedelta(minutes=59))
    assert browser.open(f"{ORIGIN}/ui/people/bob/disable").url.startswith(f"{ORIGIN}/ui/sign-in")


def test_reader_of_people_sees_what_a_change_needs_and_may_not_make_it(place):
    browser = administrator(place, "readers")
    grant = place.identity.roles.grant("r-viewer", group="readers", actor=SYSTEM)
    place.run(grant)
    place.person("bob")
    page = browser.open(f"{ORIGIN}/ui/people/bob")
    assert Reading(page.text).by_id("disable") is None
    assert "needs <code>person:write</code>, held by system_admins, idm_admins and idm_people_admins" in page.text
    assert browser.open(f"{ORIGIN}/ui/people/bob/disable").status == 403


def test_deleted_person_is_in_the_recycle_bin(place):
    browser = administrator(place)
    place.person("bob")
    page = browser.submit(browser.open(f"{ORIGIN}/ui/people/bob/delete"), "confirm")
    assert page.url == f"{ORIGIN}/ui/people"
    assert place.run(place.identity.recycle_bin.show_account("bob", actor=SYSTEM)).name == "bob"


def test_member_is_added_to_a_group_and_taken_out(place):
    browser = administrator(place)
    place.person("bob")
    place.run(place.identity.directory.create_group("web-team", actor=SYSTEM))
    page = browser.open(f"{ORIGIN}/ui/groups/web-team")
    page = browser.submit(page, "add", member="bob")
    assert "/ui/people/bob" in page.text
    token = page.form_with("add").fields["csrf_token"]
    page = browser.post("/ui/groups/web-team/members/remove", {"csrf_token": token, "member": "bob"})
    assert "/ui/people/bob" not in browser.open(f"{ORIGIN}/ui/groups/web-team").text


def test_unknown_member_is_said_within_the_console(place):
    browser = administrator(place)
    place.run(place.identity.directory.create_group("web-team", actor=SYSTEM))
    page = browser.submit(browser.open(f"{ORIGIN}/ui/groups/web-team"), "add", member="nobody-at-all")
    assert page.status == 404
    assert Reading(page.text).by_id("menu") is not None


def test_group_with_several_members_is_deleted_only_by_typing_its_name(place):
    browser = administrator(place)
    place.person("bob", "web-team")
    place.person("carol", "web-team")
    question = browser.open(f"{ORIGIN}/ui/groups/web-team/delete")
    refused = browser.submit(question, "confirm", **{"name-again": "web"})
    assert refused.status == 422
    assert "Type web-team to confirm it." in refused.text
    assert browser.submit(refused, "confirm", **{"name-again": "web-team"}).url == f"{ORIGIN}/ui/groups"
    assert place.run(place.identity.directory.find_group("web-team")) is None


def test_members_of_a_large_group_are_paged(place):
    browser = administrator(place)
    place.run(place.identity.directory.create_group("all", actor=SYSTEM))
    names = [f"m{number:02}" for number in range(60)]
    for name in names:
        place.run(place.identity.directory.create_person(name, name, actor=SYSTEM))
    place.run(place.identity.directory.add_members("all", names, actor=SYSTEM))
    first = browser.open(f"{ORIGIN}/ui/groups/all")
    second = browser.open(ORIGIN + Reading(first.text).by_id("more").attributes["href"])
    shown = [name for name in names if f"/ui/people/{name}" in first.text] + [
        name for name in names if f"/ui/people/{name}" in second.text
    ]
    assert sorted(shown) == names


def test_search_finds_people_groups_places_and_nothing_that_one_may_not_see(place):
    browser = administrator(place)
    place.person("webster")
    place.run(place.identity.directory.create_group("web-team", actor=SYSTEM))
    page = browser.open(f"{ORIGIN}/ui/search?q=web").text
    assert "/ui/people/webster" in page
    assert "/ui/groups/web-team" in page
    mine = place.signed_in("webster").open(f"{ORIGIN}/ui/search?q=web").text
    assert "/ui/people/webster" not in mine
    assert "/ui/groups/web-team" not in mine


def test_search_finds_what_there_is_of_each_kind_by_a_part_of_the_name(place):
    browser = administrator(place)
    ForeignProvider(place.outbound, place.clock)
    provider = place.run(place.app.parts.upstream_providers.create(described(name="The same sign-on"), actor=SYSTEM))
    place.run(place.identity.directory.create_service_account("same-robot", "Robot", actor=SYSTEM))
    serial = place.certificate(place.person("same-alice"))
    place.run(place.app.parts.oauth.trusted_issuers.create("jobs", "https://same.example.org", actor=SYSTEM))
    page = browser.open(f"{ORIGIN}/ui/search?q=same").text
    for path in (
        f"identity-providers/{provider.id}",
        "service-accounts/same-robot",
        f"certificates/{serial}",
        "people/same-alice",
        "trusted-issuers/jobs",
    ):
        assert f"/ui/{path}" in page, path
    members = {"name": "same-web", "longest": "24h"}
    place.run(place.app.parts.ca.profiles.create(members, actor=SYSTEM))
    place.run(place.app.parts.forwarding.create("same-siem", "https://siem.example.org/1", (), SYSTEM))
    for name in ("same-wiki", "same-shop"):
        place.run(place.oauth.clients.create_public(name, name, "https://wiki.example.org", actor=SYSTEM))
    page = browser.open(f"{ORIGIN}/ui/search?q=same").text
    for path in ("profiles/same-web", "audit/sinks", "clients/same-wiki", "clients/same-shop"):
        assert f'"/ui/{path}"' in page.partition('id="content"')[2], path
    assert page.partition('id="content"')[2].count('"/ui/audit/sinks"') == 1
    assert "an authority of this server" in browser.open(f"{ORIGIN}/ui/search?q=issuing").text
    assert "/ui/provisioners/certificates" in browser.open(f"{ORIGIN}/ui/search?q=certificate").text


def test_search_for_nothing_lists_every_place_that_one_may_see(place):
    place.person("alice")
    page = Reading(place.signed_in("alice").open(f"{ORIGIN}/ui/search").text)
    shown = {link.attributes["href"] for link in page.all("a") if "section" in link.inside}
    assert "/ui/account/certificates" in shown
    assert "/ui/people" not in shown
