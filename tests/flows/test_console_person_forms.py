"""Inviting and editing people in the console, and the links that it makes."""

import re

from sealwright.access import SYSTEM
from tests.pages_place import ORIGIN, OTHER_PASSWORD, PASSWORD
from tests.unit.web.reading import Reading


def link_on(page):
    return Reading(page.text).by_id("link").text


def test_invited_person_chooses_a_password_by_the_link_that_is_shown_once(place, browser):
    form = browser.open(f"{ORIGIN}/ui/new/person")
    made = browser.submit(
        form, "invite", name="alice", **{"display-name": "Alice Example", "mail": "a@example.org b@example.org"}
    )
    link = link_on(made)
    assert link.startswith(f"{ORIGIN}/invitation/")
    assert 'class="qr"' in made.text
    shown = browser.open(f"{ORIGIN}/ui/people/alice").text
    assert link not in shown
    assert "a@example.org" in shown
    assert "Alice Example" in shown
    theirs = place.browser()
    welcome = theirs.open(link)
    signed_in = theirs.submit(welcome, "accept", password=OTHER_PASSWORD, **{"password-again": OTHER_PASSWORD})
    assert signed_in.url == f"{ORIGIN}/ui/account"


def test_what_cannot_be_invited_is_said_beside_its_field_and_what_was_typed_stays(place, browser):
    form = browser.open(f"{ORIGIN}/ui/new/person")
    refused = browser.submit(form, "invite", name="No Name", **{"display-name": "N", "mail": "n@example.org"})
    assert refused.status == 422
    assert "cannot be a name" in Reading(refused.text).by_id("name-problem").text
    assert refused.form_with("invite").fields["mail"] == "n@example.org"
    place.person("bob")
    taken = browser.submit(form, "invite", name="bob", **{"display-name": "Bob", "mail": ""})
    assert "There is an account" in Reading(taken.text).by_id("name-problem").text
    assert place.events("invitation.created") == []


def test_person_without_a_credential_gets_an_invitation_and_another_one_a_reset_link(place, browser):
    place.run(place.identity.directory.create_person("carol", "Carol", actor=SYSTEM))
    made = browser.submit(browser.open(f"{ORIGIN}/ui/people/carol/link"), "make-link")
    assert "/invitation/" in link_on(made)
    bob = place.person("bob")
    place.certificate(bob)
    question = browser.open(f"{ORIGIN}/ui/people/bob/link")
    assert '<strong class="number">1</strong> valid certificates are revoked' in question.text
    made = browser.submit(question, "make-link", **{"keep-certificates": "yes"})
    theirs = place.browser()
    reset = theirs.open(link_on(made))
    theirs.submit(reset, "set", password=OTHER_PASSWORD, **{"password-again": OTHER_PASSWORD})
    assert place.run(place.identity.credentials.certificates_of(bob.id)) == 1


def test_names_and_addresses_are_edited_and_confirmed_addresses_stay_as_they_are(place, browser):
    alice = place.person("alice")
    place.run(place.identity.mail_addresses.set_verified("alice", "alice@example.org", verified=False, actor=SYSTEM))
    form = browser.open(f"{ORIGIN}/ui/people/alice/edit")
    mails = "alice@example.org\r\nnew@example.org"
    saved = browser.submit(form, "save-names", name="alicia", **{"display-name": "Alicia", "mails": mails})
    assert saved.url == f"{ORIGIN}/ui/people/alicia"
    account = place.run(place.identity.directory.account(alice.id))
    assert (account.name, account.display_name) == ("alicia", "Alicia")
    assert [(each.address, each.verified) for each in account.mails] == [("alice@example.org", False), ("new@example.org", True)]


def test_form_of_a_person_that_someone_overtook_shows_both_and_saves_nothing(place, browser):
    place.person("alice")
    form = browser.open(f"{ORIGIN}/ui/people/alice/edit")
    place.run(place.identity.directory.update_person("alice", display_name="Changed elsewhere", actor=SYSTEM))
    stale = browser.submit(form, "save-names", **{"display-name": "Typed here"})
    assert stale.status == 409
    reading = Reading(stale.text)
    assert [each.text for each in reading.all("del")] == ["Changed elsewhere"]
    assert [each.text for each in reading.all("ins")] == ["Typed here"]
    assert place.run(place.identity.directory.find("alice")).display_name == "Changed elsewhere"
    browser.submit(stale, "save-names")
    assert place.run(place.identity.directory.find("alice")).display_name == "Typed here"


def test_attributes_of_a_person_are_saved_or_refused_beside_their_field(place, browser):
    alice = place.person("alice")
    form = browser.open(f"{ORIGIN}/ui/people/alice/edit")
    wrong = browser.submit(form, "save-attributes", **{"given-name": "Alice", "phone-number": "12"})
    assert wrong.status == 422
    assert Reading(wrong.text).by_id("phone-number-problem") is not None
    browser.submit(wrong, "save-attributes", **{"phone-number": "+49 30 1234567"})
    held = place.run(place.identity.directory.attributes_of(alice.id))
    assert {name: each.value for name, each in held.items()} == {"given_name": "Alice", "phone_number": "+49301234567"}


def test_time_that_does_not_hold_now_is_set_only_after_its_consequences_were_shown(place, browser):
    place.person("bob")
    bobs = place.signed_in("bob")
    form = browser.open(f"{ORIGIN}/ui/people/bob/edit")
    question = browser.submit(form, "save-validity", **{"valid-until": "2020-01-01T00:00"})
    assert '<strong class="number">1</strong> sessions end at once' in question.text
    assert bobs.open(f"{ORIGIN}/ui/account").url == f"{ORIGIN}/ui/account"
    browser.submit(question, "confirm")
    assert bobs.open(f"{ORIGIN}/ui/account").url.startswith(f"{ORIGIN}/ui/sign-in")


def test_time_that_is_none_or_ends_before_it_begins_is_refused(place, browser):
    place.person("bob")
    form = browser.open(f"{ORIGIN}/ui/people/bob/edit")
    none = browser.submit(form, "save-validity", **{"valid-from": "tomorrow"})
    assert "Valid from is" in Reading(none.text).by_id("valid-from-problem").text
    turned = browser.submit(form, "save-validity", **{"valid-from": "2030-01-02T00:00", "valid-until": "2030-01-01T00:00"})
    turned = browser.submit(turned, "confirm")
    assert "does not come after" in turned.text
    assert place.run(place.identity.directory.find("bob")).valid_until is None


def test_person_is_put_into_a_group_and_taken_out_on_their_page(place, browser):
    place.person("bob")
    place.run(place.identity.directory.create_group("web-team", actor=SYSTEM))
    page = browser.submit(browser.open(f"{ORIGIN}/ui/people/bob"), "add-group", group="web-team")
    assert "/ui/groups/web-team" in page.text
    token = page.form_with("add-group").fields["csrf_token"]
    page = browser.post("/ui/people/bob/groups/remove", {"csrf_token": token, "group": "web-team"})
    assert "/ui/groups/web-team" not in browser.open(f"{ORIGIN}/ui/people/bob").text
    outer = place.identity.directory.create_group("outer", actor=SYSTEM)
    place.run(outer)
    place.run(place.identity.directory.add_members("outer", ["web-team"], actor=SYSTEM))
    place.run(place.identity.directory.add_members("web-team", ["bob"], actor=SYSTEM))
    page = browser.post("/ui/people/bob/groups/remove", {"csrf_token": token, "group": "outer"})
    assert page.status == 409
    assert "only through another group" in page.text


def test_disabling_shows_each_session_key_and_certificate_that_it_hits(place, browser):
    bob = place.person("bob")
    serial = place.certificate(bob)
    place.signed_in("bob")
    question = Reading(browser.open(f"{ORIGIN}/ui/people/bob/disable").text)
    hits = [each.text for each in question.all("li") if re.search("from 192", each.text)]
    assert "Firefox on Linux, from 192.0.2.7" in hits
    assert f"/ui/certificates/{serial}" in {each.attributes["href"] for each in question.all("a")}


def test_edit_and_link_are_refused_to_who_may_only_read(place):
    place.person("reader", "readers")
    place.run(place.identity.roles.grant("r-viewer", group="readers", actor=SYSTEM))
    place.person("bob")
    reader = place.signed_in("reader")
    for path in ("/ui/new/person", "/ui/people/bob/edit", "/ui/people/bob/link"):
        refused = reader.open(ORIGIN + path)
        assert refused.status == 403, path
        assert "person:write" in refused.text
    assert PASSWORD not in refused.text
