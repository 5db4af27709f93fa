"""The audit record, the authority, service accounts, the recycle bin and the settings in the console."""

from datetime import timedelta

import pytest

from sealwright.access import SYSTEM
from sealwright.audit import Event
from tests.pages_place import ORIGIN
from tests.unit.web.reading import Reading


def events(browser, query=""):
    reading = Reading(browser.open(f"{ORIGIN}/ui/audit?{query}").text)
    found = reading.by_id("events")
    return "" if found is None else found.text


def test_record_is_read_as_sentences_and_searched_by_who_what_event_and_request(place, browser):
    bob = place.person("bob")
    place.run(place.identity.directory.disable("bob", actor=SYSTEM))
    assert "the person bob" in events(browser)
    about = f"about=person%3A{bob.id}"
    assert "disabled the person bob" in events(browser, about)
    assert "disabled the person bob" in events(browser, "q=person.disabled")
    assert "disabled" not in events(browser, "q=session.sign_in")
    assert "bob" not in events(browser, "q=root1")
    assert events(browser, "q=no-such-request-of-anyone-at-all") == ""
    assert "disabled" not in events(browser, "outcome=refused")


def test_change_is_told_field_by_field_with_what_stood_there(place, browser):
    place.person("bob")
    place.run(place.identity.directory.update_person("bob", display_name="Robert", actor=SYSTEM))
    page = browser.open(f"{ORIGIN}/ui/audit?q=person.updated").text
    assert "<del>Bob</del>" in page
    assert "<ins>Robert</ins>" in page


def test_older_events_come_page_by_page_and_none_twice(place, browser):
    for number in range(60):
        place.run(place.identity.directory.create_group(f"g{number:02}", actor=SYSTEM))
    first = browser.open(f"{ORIGIN}/ui/audit?q=group.created")
    second = browser.open(ORIGIN + Reading(first.text).by_id("more").attributes["href"])
    shown = [name for page in (first, second) for name in (f"g{n:02}" for n in range(60)) if f"the group {name}" in page.text]
    assert sorted(shown) == [f"g{number:02}" for number in range(60)]


def test_value_that_has_no_room_on_a_page_is_cut_and_the_export_is_named(place, browser):
    async def body(tx):
        heads = {f"chain-{number}": [number, "00" * 32] for number in range(1_000)}
        await place.audit.record(tx, Event.CHAIN_CHECKPOINT, actor=SYSTEM, target="audit:chain", details={"heads": heads})

    place.run(place.db.write(body))
    page = browser.open(f"{ORIGIN}/ui/audit?q={Event.CHAIN_CHECKPOINT}").text
    assert "chain-0" in page
    assert "chain-999" not in page
    assert "the export has all" in page


def test_record_that_is_followed_looks_again_by_itself(browser):
    assert "refresh" not in browser.open(f"{ORIGIN}/ui/audit").headers
    page = browser.open(f"{ORIGIN}/ui/audit?follow=yes")
    assert page.headers["refresh"] == "5; url=/ui/audit?follow=again"
    assert "follow" not in Reading(page.text).by_id("stop").attributes["href"]


def test_page_that_is_followed_without_anyone_there_does_not_keep_the_session_from_ending(place):
    place.person("ida", "auditors")
    browser = place.signed_in("ida")
    for path, ends in (("/ui/audit?follow=yes", "/ui/audit"), ("/ui/audit?follow=again", "/ui/sign-in")):
        for _ in range(7):
            place.clock.advance(timedelta(minutes=10))
            page = browser.open(f"{ORIGIN}{path}")
        assert ends in page.url, page.url


@pytest.mark.parametrize("query", ["after=x", "after=1.2.%27", "category=other", "outcome=maybe"])
def test_address_of_the_record_that_no_page_made_is_refused_within_the_console(browser, query):
    page = browser.open(f"{ORIGIN}/ui/audit?{query}")
    assert page.status == 400
    assert Reading(page.text).by_id("menu") is not None


def test_record_is_searched_by_the_name_of_what_it_is_about_also_of_what_is_gone(place, browser):
    place.person("bob")
    place.run(place.identity.directory.update_person("bob", display_name="Robert", actor=SYSTEM))
    assert "Robert" in browser.open(f"{ORIGIN}/ui/audit?q=person%3Abob").text
    place.run(place.identity.directory.delete("bob", actor=SYSTEM))
    assert "Robert" in browser.open(f"{ORIGIN}/ui/audit?q=person%3Abob").text
    for nothing in ("person%3Anobody", "certificate%3Azz", "x%3Ay"):
        assert "Robert" not in browser.open(f"{ORIGIN}/ui/audit?q={nothing}").text


def test_auditor_sees_the_record_and_the_overview_and_nothing_else(place):
    place.run(place.identity.directory.create_group("readers", actor=SYSTEM))
    place.run(place.identity.roles.grant("r-auditor", group="readers", actor=SYSTEM))
    place.person("carol", "readers")
    browser = place.signed_in("carol")
    page = browser.open(f"{ORIGIN}/ui/audit")
    links = {link.attributes["href"] for link in Reading(page.text).all("a") if "nav" in link.inside}
    assert {link for link in links if not link.startswith("/ui/a")} == {"/ui/overview"}
    for path in ("/ui/people", "/ui/certificates", "/ui/settings", "/ui/issuers", "/ui/provisioners"):
        assert browser.open(ORIGIN + path).status == 403


def test_issuers_are_a_tree_and_one_that_ended_is_called_so(place, browser):
    page = Reading(browser.open(f"{ORIGIN}/ui/issuers").text)
    tree = page.by_id("tree").text
    assert tree.index("Example Root CA") < tree.index("Example Issuing CA 1")
    assert "signs certificates" in tree
    assert page.by_id("root-key") is not None
    place.clock.advance(timedelta(days=6 * 365))
    place.person("later", "system_admins")
    assert "expired" in Reading(place.signed_in("later").open(f"{ORIGIN}/ui/issuers").text).by_id("tree").text


def test_provisioner_is_shown_without_its_secret(place, browser):
    definition = {
        "type": "OIDC",
        "name": "keycloak",
        "clientID": "ca",
        "clientSecret": "hush-hush-hush",
        "configurationEndpoint": "https://sso.example.org/realms/a",
    }
    place.run(place.app.parts.ca.provisioners.add(definition, SYSTEM))
    assert "/ui/provisioners/keycloak" in browser.open(f"{ORIGIN}/ui/provisioners").text
    page = browser.open(f"{ORIGIN}/ui/provisioners/keycloak").text
    assert "https://sso.example.org/realms/a" in page
    assert "set, never shown" in page
    assert "hush-hush-hush" not in page


def test_profiles_say_what_a_certificate_may_hold(browser):
    page = browser.open(f"{ORIGIN}/ui/profiles").text
    assert "step_leaf" in page
    assert "Usual life" in browser.open(f"{ORIGIN}/ui/profiles/step_leaf").text


def test_service_account_shows_its_tokens_and_never_one_itself(place, browser):
    place.run(place.identity.directory.create_service_account("ci", "Builds", managed_by=None, actor=SYSTEM))
    made = place.run(place.identity.api_tokens.generate("ci", "nightly", expires_at=None, read_only=True, actor=SYSTEM))
    assert "/ui/service-accounts/ci" in browser.open(f"{ORIGIN}/ui/service-accounts").text
    page = browser.open(f"{ORIGIN}/ui/service-accounts/ci").text
    assert "nightly" in page
    assert "only read" in page
    assert made.token not in page


def test_deleted_person_and_group_are_revived_from_the_recycle_bin(place, browser):
    place.person("bob")
    place.run(place.identity.directory.create_group("web-team", actor=SYSTEM))
    place.run(place.identity.directory.delete("bob", actor=SYSTEM))
    place.run(place.identity.directory.delete_group("web-team", actor=SYSTEM))
    page = browser.open(f"{ORIGIN}/ui/recycle-bin")
    token = page.form_with("sign-out").fields["csrf_token"]
    for kind, name in (("accounts", "bob"), ("groups", "web-team")):
        assert name in page.text
        back = browser.post(f"/ui/recycle-bin/{kind}/revive", {"csrf_token": token, "name": name})
        assert "It is back." in back.text
    assert place.run(place.identity.directory.find("bob")) is not None
    assert place.run(place.identity.directory.find_group("web-team")) is not None


def test_settings_are_read_only_name_their_file_and_hide_secrets(place, browser):
    page = browser.open(f"{ORIGIN}/ui/settings")
    assert "settings.toml" in Reading(page.text).by_id("source").text
    assert "listen.people" in page.text
    assert [form.attributes["method"] for form in Reading(page.text).all("form") if "main" in form.inside] == []
