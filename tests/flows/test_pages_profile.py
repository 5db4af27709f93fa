"""My profile and my mail addresses, in a browser without JavaScript, with a real SMTP server behind it."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest

from sealwright.access import SYSTEM
from sealwright.identity import MailAddress
from sealwright.settings import AccountSettings
from tests.pages_place import ORIGIN, Place, pages_place
from tests.smtp_sink import Sink, smtp_sink
from tests.unit.mail.world import mail_settings
from tests.unit.web.reading import Reading

PROFILE = ORIGIN + "/ui/account/profile"
MAIL = ORIGIN + "/ui/account/mail"
LINK = re.compile(r"https://id\.example\.org(/mail/\S+)")
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"
OWN_MAIL = AccountSettings(edit_own_mail=True)


@pytest.fixture
def place() -> Iterator[Place]:
    with pages_place() as made:
        yield made


@pytest.fixture
def sink(tmp_path) -> Iterator[Sink]:
    with smtp_sink(tmp_path) as made:
        yield made


@pytest.fixture
def mailing(sink: Sink) -> Iterator[Place]:
    with pages_place(mail=mail_settings(sink), accounts=OWN_MAIL) as made:
        yield made


def unverified(place: Place, name: str, address: str) -> None:
    place.run(place.identity.directory.update_person(name, mails=[MailAddress(address, verified=False)], actor=SYSTEM))


def mails(place: Place, name: str) -> dict[str, bool]:
    return {each.address: each.verified for each in place.run(place.identity.directory.find(name)).mails}


def fields(page, action):
    return next(form for form in page.parsed().forms if form.action.endswith(action)).fields


# --- profile ---


def test_profile_is_changed_and_kept(place: Place) -> None:
    account = place.person()
    browser = place.signed_in()
    page = browser.open(PROFILE)
    typed = {**fields(page, "/profile"), "display-name": "Alice B.", "phone-number": "+49 30 1234567", "address-locality": "Ulm"}
    page = browser.post("/ui/account/profile", typed)
    assert (page.url, "Your profile was saved." in page.text) == (PROFILE, True)
    assert fields(page, "/profile")["phone-number"] == "+49301234567"
    held = place.run(place.identity.directory.attributes_of(account.id))
    assert {name: (each.value, each.verified) for name, each in held.items()} == {
        "phone_number": ("+49301234567", False), "address.locality": ("Ulm", False),
    }  # fmt: skip
    assert place.run(place.identity.directory.find("alice")).display_name == "Alice B."
    page = browser.post("/ui/account/profile", {**fields(browser.open(PROFILE), "/profile"), "phone-number": ""})
    assert list(place.run(place.identity.directory.attributes_of(account.id))) == ["address.locality"]
    assert ("done", account.reference) in place.events("person.updated")


def test_each_wrong_value_is_told_at_its_field_and_nothing_is_saved(place: Place) -> None:
    account = place.person()
    browser = place.signed_in()
    wrong = {"display-name": "", "phone-number": "1234", "locale": "!", "website": "javascript:alert(1)", "nickname": "Al"}
    page = browser.post("/ui/account/profile", {**fields(browser.open(PROFILE), "/profile"), **wrong})
    assert page.status == 422
    for name in ("display-name", "phone-number", "locale", "website"):
        assert f'id="{name}-problem"' in page.text
    assert fields(page, "/profile")["nickname"] == "Al"
    assert place.run(place.identity.directory.attributes_of(account.id)) == {}


def test_edit_of_a_stale_form_changes_nothing_and_keeps_what_was_typed(place: Place) -> None:
    account = place.person()
    browser = place.signed_in()
    before = fields(browser.open(PROFILE), "/profile")
    place.run(place.identity.directory.set_attributes("alice", {"nickname": "Other"}, actor=SYSTEM))
    page = browser.post("/ui/account/profile", {**before, "nickname": "Mine"})
    assert page.status == 409
    assert [each.text for each in Reading(page.text).all("del", "ins")] == ["Other", "Mine"]
    assert place.run(place.identity.directory.attributes_of(account.id))["nickname"].value == "Other"
    page = browser.post("/ui/account/profile", fields(page, "/profile"))
    assert place.run(place.identity.directory.attributes_of(account.id))["nickname"].value == "Mine"


def test_ssh_keys_are_added_and_deleted(place: Place) -> None:
    account = place.person()
    browser = place.signed_in()
    form = fields(browser.open(PROFILE), "/ssh-keys")
    for tag, key, field in (("laptop", "rubbish", "public-key"), ("not a tag", KEY, "tag"), ("", KEY, "tag")):
        page = browser.post("/ui/account/profile/ssh-keys", {**form, "tag": tag, "public-key": key})
        assert (page.status, f'id="{field}-problem"' in page.text) == (422, True), tag
    page = browser.post("/ui/account/profile/ssh-keys", {**form, "tag": "laptop", "public-key": f"{KEY} me@laptop"})
    assert "The SSH key was added." in page.text
    assert [each.public_key for each in place.run(place.identity.directory.ssh_keys_of(account.id))] == [KEY]
    browser.post("/ui/account/profile/ssh-keys/delete", fields(page, "/ssh-keys/delete"))
    assert place.run(place.identity.directory.ssh_keys_of(account.id)) == ()


def test_change_of_ssh_keys_needs_a_recent_sign_in(place: Place) -> None:
    account = place.person()
    browser = place.signed_in()
    place.clock.advance(timedelta(minutes=11))
    form = fields(browser.open(PROFILE), "/ssh-keys")
    page = browser.post("/ui/account/profile/ssh-keys", {**form, "tag": "laptop", "public-key": KEY})
    assert "/ui/sign-in?next=" in page.url
    assert place.run(place.identity.directory.ssh_keys_of(account.id)) == ()
    place.run(place.identity.directory.add_ssh_key("alice", "laptop", KEY, actor=SYSTEM))
    browser.post("/ui/account/profile/ssh-keys/delete", {**form, "tag": "laptop"})
    assert len(place.run(place.identity.directory.ssh_keys_of(account.id))) == 1


@pytest.mark.parametrize("path", ["/ui/account/profile", "/ui/account/mail", "/mail/x"])
def test_these_pages_ask_to_sign_in_and_lead_back(place: Place, path: str) -> None:
    place.person()
    assert place.browser().open(ORIGIN + path).url.startswith(f"{ORIGIN}/ui/sign-in?next=%2F")


# --- mail addresses ---


def test_new_address_counts_once_its_link_was_followed(mailing: Place, sink: Sink) -> None:
    mailing.person()
    browser = mailing.signed_in()
    page = browser.post("/ui/account/mail", {**fields(browser.open(MAIL), "/mail"), "address": "New@example.org"})
    assert (page.url, "not confirmed" in page.text) == (MAIL, True)
    assert mails(mailing, "alice") == {"alice@example.org": True, "New@example.org": False}
    page = browser.post("/ui/account/mail/link", fields(page, "/mail/link"))
    assert "A link was sent." in page.text
    (taken,) = sink.taken
    assert taken.recipient == "New@example.org"
    assert "the account alice" in taken.text
    path = LINK.findall(taken.text)[0]
    page = browser.open(ORIGIN + path)
    assert "New@example.org" in page.text
    assert mails(mailing, "alice")["New@example.org"] is False  # a program that opens links confirms nothing
    page = browser.post(path, fields(page, path))
    assert (page.url, "The address is confirmed." in page.text) == (MAIL, True)
    assert mails(mailing, "alice") == {"alice@example.org": True, "New@example.org": True}
    page = browser.open(ORIGIN + path)
    assert (page.status, "works once" in page.text) == (410, True)
    assert mailing.events("person.mail_verification_set")[0][0] == "done"
    (row,) = [
        each for each in mailing.run(mailing.audit.newest(mailing.db, at_most=9)) if each.event == "person.mail_verification_set"
    ]
    assert path.rpartition("/")[2] not in row.details


def test_link_works_for_the_account_that_asked_for_it_alone(mailing: Place, sink: Sink) -> None:
    mailing.person("mallory")
    mailing.person("victor", mails=())
    unverified(mailing, "mallory", "victor@example.net")
    browser = mailing.signed_in("mallory")
    browser.post("/ui/account/mail/link", fields(browser.open(MAIL), "/mail/link"))
    path = LINK.findall(sink.taken[0].text)[0]
    other = mailing.signed_in("victor")
    page = other.open(ORIGIN + path)
    assert (page.status, "not for an address of the account" in page.text) == (410, True)
    token = fields(other.open(MAIL), "/mail")["csrf_token"]
    assert other.post(path, {"csrf_token": token}).status == 410
    assert mails(mailing, "mallory") == {"victor@example.net": False}


def test_link_ends_with_its_time_with_a_newer_one_and_with_its_address(mailing: Place, sink: Sink) -> None:
    mailing.person()
    unverified(mailing, "alice", "a@example.net")
    browser = mailing.signed_in()
    form = fields(browser.open(MAIL), "/mail/link")
    browser.post("/ui/account/mail/link", form)
    page = browser.post("/ui/account/mail/link", form)
    assert (page.status, len(sink.taken)) == (422, 1)
    mailing.clock.advance(timedelta(minutes=2))
    browser.post("/ui/account/mail/link", form)
    first, second = (LINK.findall(each.text)[0] for each in sink.taken)
    assert browser.open(ORIGIN + first).status == 410
    assert browser.open(ORIGIN + second).status == 200
    unverified(mailing, "alice", "other@example.net")
    assert browser.open(ORIGIN + second).status == 410
    unverified(mailing, "alice", "a@example.net")
    mailing.clock.advance(timedelta(hours=24))
    page = mailing.signed_in().open(ORIGIN + second)
    assert (page.status, "expired" in page.text) == (410, True)


def test_message_waits_while_the_mail_server_is_down_and_is_sent_later(mailing: Place, sink: Sink) -> None:
    mailing.person()
    unverified(mailing, "alice", "a@example.net")
    sink.replies["GREETING"] = ["421 4.3.2 Not now"]
    browser = mailing.signed_in()
    page = browser.post("/ui/account/mail/link", fields(browser.open(MAIL), "/mail/link"))
    assert "does not take the message yet" in page.text
    assert mailing.run(mailing.app.parts.outbox.status()).count == 1
    assert sink.taken == []
    mailing.clock.advance(timedelta(minutes=1))
    mailing.run(mailing.app.parts.outbox.send_due())
    assert mailing.run(mailing.app.parts.outbox.status()).count == 0
    path = LINK.findall(sink.taken[0].text)[0]
    browser.post(path, fields(browser.open(ORIGIN + path), path))
    assert mails(mailing, "alice") == {"a@example.net": True}


def test_address_that_is_removed_is_gone_and_one_that_is_taken_is_refused(mailing: Place) -> None:
    mailing.person("bob")
    mailing.person()
    browser = mailing.signed_in()
    form = fields(browser.open(MAIL), "/mail")
    for address, words in (("bob@example.org", "Another account"), ("no address", "Type an address")):
        page = browser.post("/ui/account/mail", {**form, "address": address})
        assert (page.status, 'id="address-problem"' in page.text, words in page.text) == (422, True, True), page.text
    page = browser.post("/ui/account/mail/remove", fields(browser.open(MAIL), "/mail/remove"))
    assert mails(mailing, "alice") == {}


def test_address_that_carries_authority_is_not_taken_by_its_own_hand(mailing: Place) -> None:
    mailing.person()
    endpoint = f"{ORIGIN}/oauth2/openid/x"
    definition = {"type": "OIDC", "name": "x", "clientID": "x", "configurationEndpoint": endpoint, "admins": ["boss@example.org"]}
    mailing.run(mailing.app.parts.ca.provisioners.add(definition, SYSTEM))
    browser = mailing.signed_in()
    page = browser.post("/ui/account/mail", {**fields(browser.open(MAIL), "/mail"), "address": "boss@example.org"})
    assert page.status == 422
    assert mails(mailing, "alice") == {"alice@example.org": True}
    assert mailing.events("person.updated")[0][0] == "refused"


def test_change_of_addresses_needs_a_recent_sign_in(mailing: Place) -> None:
    mailing.person()
    browser = mailing.signed_in()
    form = {**fields(browser.open(MAIL), "/mail"), "address": "new@example.org"}
    mailing.clock.advance(timedelta(minutes=11))
    assert "/ui/sign-in" in browser.post("/ui/account/mail", form).url
    assert mails(mailing, "alice") == {"alice@example.org": True}


def test_people_change_no_addresses_unless_the_server_lets_them(place: Place) -> None:
    place.person()
    browser = place.signed_in()
    page = browser.open(MAIL)
    assert ("An administrator adds and removes addresses." in page.text, "/mail/remove" in page.text) == (True, False)
    token = fields(browser.open(PROFILE), "/profile")["csrf_token"]
    page = browser.post("/ui/account/mail", {"csrf_token": token, "address": "new@example.org"})
    assert (page.status, mails(place, "alice")) == (422, {"alice@example.org": True})
    unverified(place, "alice", "a@example.net")
    page = browser.post("/ui/account/mail/link", {"csrf_token": token, "address": "a@example.net"})
    assert "sends no mail" in page.text
