"""Groups with their managers and policies, and service accounts with their tokens, made and changed in the console."""

from datetime import timedelta

import pytest

from sealwright.access import SYSTEM
from sealwright.identity import CredentialMinimum
from tests.pages_place import ORIGIN
from tests.unit.web.reading import Reading


def policy(place, group):
    return place.run(place.identity.account_policies.show(group, actor=SYSTEM))


def test_group_is_made_and_edited_with_its_manager(place, browser):
    place.person("bob")
    form = browser.open(f"{ORIGIN}/ui/new/group")
    page = browser.submit(form, "save", name="web-team", description="Web servers", manager="bob")
    assert page.url == f"{ORIGIN}/ui/groups/web-team"
    assert "It is empty" in page.text
    form = browser.open(f"{ORIGIN}/ui/groups/web-team/edit")
    page = browser.submit(form, "save", name="web-people", manager="")
    assert page.url == f"{ORIGIN}/ui/groups/web-people"
    group = place.run(place.identity.directory.find_group("web-people"))
    assert (group.description, group.managed_by) == ("Web servers", None)


def test_what_cannot_be_a_group_is_said_beside_its_field(place, browser):
    form = browser.open(f"{ORIGIN}/ui/new/group")
    refused = browser.submit(form, "save", name="no name", description="Typed")
    assert "cannot be a name" in Reading(refused.text).by_id("name-problem").text
    assert refused.form_with("save").fields["description"] == "Typed"
    refused = browser.submit(form, "save", name="web-team", manager="nobody-at-all")
    assert "no account or group" in Reading(refused.text).by_id("manager-problem").text
    assert place.run(place.identity.directory.find_group("web-team")) is None


def test_form_of_a_group_that_someone_overtook_shows_both_and_saves_nothing(place, browser):
    place.run(place.identity.directory.create_group("web-team", actor=SYSTEM))
    form = browser.open(f"{ORIGIN}/ui/groups/web-team/edit")
    place.run(place.identity.directory.update_group("web-team", description="Elsewhere", actor=SYSTEM))
    stale = browser.submit(form, "save", description="Here")
    assert stale.status == 409
    assert [each.text for each in Reading(stale.text).all("del", "ins")] == ["Elsewhere", "Here"]
    assert place.run(place.identity.directory.find_group("web-team")).description == "Elsewhere"


def test_manager_of_a_group_changes_its_members_without_a_permission(place, browser):
    place.person("bob")
    place.person("carol")
    place.run(place.identity.directory.create_group("web-team", managed_by="bob", actor=SYSTEM))
    place.run(place.identity.directory.create_group("others", actor=SYSTEM))
    bobs = place.signed_in("bob")
    page = bobs.submit(bobs.open(f"{ORIGIN}/ui/groups/web-team"), "add", member="carol")
    assert page.url == f"{ORIGIN}/ui/groups/web-team"
    assert [each.name for each in place.run(place.identity.directory.members_of("web-team", actor=SYSTEM)).accounts] == ["carol"]
    assert bobs.open(f"{ORIGIN}/ui/groups/others").status == 403
    assert bobs.open(f"{ORIGIN}/ui/groups/others/edit").status == 403


def test_policy_of_a_group_is_set_changed_and_removed(place, browser):
    place.run(place.identity.directory.create_group("web-team", actor=SYSTEM))
    form = browser.open(f"{ORIGIN}/ui/groups/web-team/policy")
    values = {"minimum": "passkey", "auth-expiry": "4h", "password-length": "20", "self-mail-write": "no"}
    page = browser.submit(form, "save", **values)
    assert "A sign-in needs a passkey." in page.text
    assert "A password has at least 20 characters." in page.text
    held = policy(place, "web-team")
    assert (held.credential_minimum, held.auth_expiry) == (CredentialMinimum.PASSKEY, timedelta(hours=4))
    assert (held.privilege_expiry, held.password_minimum_length, held.self_mail_write) == (None, 20, False)
    form = browser.open(f"{ORIGIN}/ui/groups/web-team/policy")
    browser.submit(form, "save", **dict.fromkeys(values, ""))
    assert policy(place, "web-team") is None


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("auth-expiry", "long", "is not a duration"),
        ("auth-expiry", "9000h", "cannot last"),
        ("password-length", "many", "is not a number"),
        ("password-length", "3", "cannot be asked"),
        ("minimum", "none", "Choose one"),
    ],
)
def test_policy_that_cannot_be_is_refused_and_what_was_typed_stays(place, browser, field, value, told):
    place.run(place.identity.directory.create_group("web-team", actor=SYSTEM))
    refused = browser.submit(browser.open(f"{ORIGIN}/ui/groups/web-team/policy"), "save", **{field: value})
    assert refused.status == 422
    assert told in refused.text
    assert policy(place, "web-team") is None


def test_service_account_is_made_given_a_token_once_and_its_token_revoked(place, browser):
    form = browser.open(f"{ORIGIN}/ui/new/service-account")
    page = browser.submit(form, "save", name="backup", **{"display-name": "Nightly backup", "manager": ""})
    assert page.url == f"{ORIGIN}/ui/service-accounts/backup"
    form = browser.open(f"{ORIGIN}/ui/service-accounts/backup/tokens")
    assert "Give the token a label." in browser.submit(form, "make", label="").text
    made = browser.submit(form, "make", label="runner", days="30")
    secret = Reading(made.text).by_id("secret").text
    held = place.run(place.identity.api_tokens.resolve(secret, "192.0.2.9"))
    assert (held.account.name, held.read_only) == ("backup", True)
    page = browser.open(f"{ORIGIN}/ui/service-accounts/backup")
    assert secret not in page.text
    token = Reading(page.text).all("input")
    fields = {each.attributes["name"]: each.attributes["value"] for each in token if each.attributes.get("name") == "token"}
    csrf = page.form_with("sign-out").fields["csrf_token"]
    browser.post("/ui/service-accounts/backup/tokens/revoke", {"csrf_token": csrf, **fields})
    assert place.run(place.identity.api_tokens.resolve(secret, "192.0.2.9")) is None


def test_service_account_is_edited_disabled_enabled_and_deleted(place, browser):
    place.run(place.identity.directory.create_service_account("ci", "CI", actor=SYSTEM))
    one = f"{ORIGIN}/ui/service-accounts/ci"
    made = place.identity.api_tokens.generate("ci", "runner", expires_at=None, read_only=True, actor=SYSTEM)
    secret = place.run(made).token
    place.person("bob")
    browser.submit(browser.open(f"{one}/edit"), "save", **{"display-name": "Runner", "manager": "bob"})
    account = place.run(place.identity.directory.find("ci"))
    assert account.display_name == "Runner"
    assert account.managed_by == place.run(place.identity.directory.find("bob")).id
    question = browser.open(f"{one}/disable")
    assert '<strong class="number">1</strong> API tokens end at once' in question.text
    page = browser.submit(question, "confirm")
    assert place.run(place.identity.api_tokens.resolve(secret, "192.0.2.9")) is None
    assert Reading(browser.submit(page, "enable").text).by_id("disable") is not None
    assert browser.submit(browser.open(f"{one}/delete"), "confirm").url == f"{ORIGIN}/ui/service-accounts"
    assert place.run(place.identity.directory.find("ci")) is None


def test_manager_of_a_service_account_makes_its_tokens_and_does_no_more(place):
    place.person("bob")
    place.run(place.identity.directory.create_service_account("ci", "CI", managed_by="bob", actor=SYSTEM))
    place.run(place.identity.directory.create_service_account("other", "Other", actor=SYSTEM))
    bobs = place.signed_in("bob")
    page = bobs.open(f"{ORIGIN}/ui/service-accounts/ci")
    assert "person:write" in page.text
    made = bobs.submit(bobs.open(f"{ORIGIN}/ui/service-accounts/ci/tokens"), "make", label="runner")
    assert Reading(made.text).by_id("secret") is not None
    assert bobs.open(f"{ORIGIN}/ui/service-accounts/ci/edit").status == 403
    assert bobs.open(f"{ORIGIN}/ui/service-accounts/other").status == 403
    assert bobs.open(f"{ORIGIN}/ui/service-accounts/other/tokens").status == 403
