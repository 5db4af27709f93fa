"""The consent page promises neither more nor less than the tokens will say."""

import pytest

from sealwright.clock import Instant
from sealwright.oauth import CHANGE_SCOPE, READ_SCOPE
from sealwright.oauth.claims import CLAIMS_OF_SCOPE
from sealwright.web.claims_preview import claim_previews, scope_labels
from sealwright.web.models import ClaimPreview

CLAIMS = {
    "sub": "0b9e6f0c",
    "name": "Alice Example",
    "preferred_username": "alice@example.org",
    "email": "alice@example.org",
    "email_verified": True,
}


def values(claims, *scopes):
    return {claim.label: claim.values for claim in claim_previews(claims, scopes)}


def test_every_claim_is_told_with_its_value():
    assert values(CLAIMS, "openid", "email") == {
        "Your user name": ("alice@example.org",),
        "Your name": ("Alice Example",),
        "Your e-mail address": ("alice@example.org",),
        "An identifier of your account": ("0b9e6f0c",),
    }


def test_address_that_no_one_verified_is_told_so():
    told = values(CLAIMS | {"email_verified": False}, "openid", "email")
    assert told["Your e-mail address"] == ("alice@example.org (not verified)",)


def test_what_was_asked_for_and_is_not_there_is_told_too():
    claims = {name: value for name, value in CLAIMS.items() if not name.startswith("email")} | {"groups": []}
    previews = claim_previews(claims, ("openid", "email", "groups"))
    assert ClaimPreview("Your e-mail address", (), "you have none") in previews
    assert ClaimPreview("Your groups", (), "you are in none") in previews


def test_scopes_that_open_this_server_are_not_left_to_the_application_to_explain():
    told = values(CLAIMS, "openid", "sealwright_read", "sealwright_change", "wiki_edit")
    assert told["Read at this server, as you"]
    assert "whatever you may change" in told["Change this server, as you"][0]
    assert [label for label in told if label.startswith("“")] == ["“wiki_edit”"]


def test_groups_are_told_in_words_and_times_as_moments():
    told = values(CLAIMS | {"groups": ["users", "web-team"], "updated_at": 1_795_342_800}, "groups", "profile")
    assert told["Your groups"] == ("users, web-team",)
    assert told["When your account was last changed"] == (Instant(1_795_342_800_000),)


def test_claim_that_these_pages_do_not_know_is_told_by_its_name():
    assert values(CLAIMS | {"department": "Ships"}, "openid")["department"] == ("Ships",)


def test_scope_whose_meaning_only_the_application_knows_is_named():
    assert "“read:wiki”" in values(CLAIMS, "openid", "read:wiki")


def test_scopes_are_summed_up_for_the_list_of_applications():
    assert scope_labels(("openid", "email", "read:wiki")) == ("user name and name", "e-mail address", "“read:wiki”")


@pytest.mark.parametrize("scope", [*CLAIMS_OF_SCOPE, "offline_access", READ_SCOPE, CHANGE_SCOPE])
def test_no_scope_that_a_person_allowed_is_left_out_of_the_list_of_applications(scope):
    (told,) = scope_labels((scope,))
    assert not told.startswith("“")
