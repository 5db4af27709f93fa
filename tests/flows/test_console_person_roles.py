"""Roles that someone grants by hand in the console, and takes back; and what a manager finds on their account page."""

from sealwright.access import SYSTEM, Permission, Scope, ScopeKind
from sealwright.access.approvals import ApprovalRule
from tests.pages_place import ORIGIN
from tests.unit.web.reading import Reading

BOB = f"{ORIGIN}/ui/people/bob"


def grants(place, name):
    account = place.run(place.identity.directory.find(name))
    found = place.run(place.identity.roles.held_by(account.id, actor=SYSTEM))
    return [(each.grant.role, str(each.grant.scope), each.grant.expires_at) for each in found if each.grant.source == "manual"]


def test_role_is_granted_within_a_scope_and_until_a_moment_and_taken_away(place, browser):
    place.person("bob")
    form = browser.open(f"{BOB}/roles/grant")
    page = browser.submit(form, "grant", role="r-viewer", scope="profile:step_leaf", **{"expires-at": "2199-12-31T18:00"})
    assert page.url == BOB
    assert "The role is granted." in page.text
    assert grants(place, "bob") == [("r-viewer", "profile:step_leaf", 7_258_096_800_000)]
    assert "by hand, for profile:step_leaf, until" in page.text
    (grant,) = place.run(place.identity.roles.list_grants(role="r-viewer", at_most=9, actor=SYSTEM))
    question = browser.open(f"{BOB}/roles/{grant.grant.id}/withdraw")
    assert grants(place, "bob"), "asking takes nothing away"
    page = browser.submit(question, "confirm")
    assert (page.url, grants(place, "bob")) == (BOB, [])


def test_what_cannot_be_granted_is_said_beside_its_field_and_what_was_typed_stays(place, browser):
    place.person("bob")
    wrong = {
        ("", "", ""): "role-problem",
        ("r-viewer", "profile:none", ""): "scope-problem",
        ("r-viewer", "nothing", ""): "scope-problem",
        ("r-viewer", "", "2001-01-01T00:00"): "expires-at-problem",
        ("r-viewer", "", "tomorrow"): "expires-at-problem",
    }
    for (role, scope, ends_at), problem in wrong.items():
        form = browser.open(f"{BOB}/roles/grant")
        page = browser.submit(form, "grant", role=role, scope=scope, **{"expires-at": ends_at})
        assert page.status == 422
        assert Reading(page.text).by_id(problem).text
        assert page.form_with("grant").fields["scope"] == scope
    assert grants(place, "bob") == []


def test_no_one_grants_more_than_they_hold_and_who_may_not_sees_what_it_needs(place, browser):
    place.person("bob")
    place.person("carol")
    permissions = [str(each) for each in (Permission.ROLE_READ, Permission.ROLE_WRITE, Permission.PERSON_READ)]
    place.run(place.identity.roles.create("r-roles", description="", permissions=permissions, actor=SYSTEM))
    place.run(place.identity.roles.grant("r-roles", person="carol", actor=SYSTEM))
    carols = place.signed_in("carol")
    page = carols.submit(carols.open(f"{BOB}/roles/grant"), "grant", role="r-admin")
    assert (page.status, grants(place, "bob")) == (422, [])
    assert "missing:" in Reading(page.text).by_id("role-problem").text
    place.person("vera")
    place.run(place.identity.roles.grant("r-viewer", person="vera", actor=SYSTEM))
    veras = place.signed_in("vera")
    assert "role:write" in Reading(veras.open(BOB).text).by_id("grant-role-needs").text
    assert veras.open(f"{BOB}/roles/grant").status == 403


def test_who_may_grant_within_a_scope_alone_is_told_nothing_of_what_there_is_and_is_on_record(place, browser):
    place.person("bob")
    place.person("carol")
    roles = place.identity.roles
    place.run(roles.create("r-roles", description="", permissions=[str(Permission.ROLE_WRITE)], actor=SYSTEM))
    place.run(roles.grant("r-roles", person="carol", scope=Scope(ScopeKind.PROFILE, "step_leaf"), actor=SYSTEM))
    place.run(roles.grant("r-viewer", person="carol", actor=SYSTEM))
    carols = place.signed_in("carol")
    for scope in ("profile:none", "profile:step_leaf", "provisioner:none"):
        page = carols.submit(carols.open(f"{BOB}/roles/grant"), "grant", role="r-viewer", scope=scope)
        assert (page.status, "There is no" in page.text) == (403, False)
    assert grants(place, "bob") == []
    assert ("refused", "role:r-viewer") in place.events("role.granted")


def test_grant_by_a_group_is_not_taken_away_on_the_page_of_its_member(place, browser):
    place.person("bob")
    place.person("carol")
    place.run(place.identity.directory.create_group("viewers", actor=SYSTEM))
    place.run(place.identity.directory.add_members("viewers", ["bob"], actor=SYSTEM))
    by_group = place.run(place.identity.roles.grant("r-viewer", group="viewers", actor=SYSTEM)).grant.id
    other = place.run(place.identity.roles.grant("r-viewer", person="carol", actor=SYSTEM)).grant.id
    assert f"/roles/{by_group}/" not in browser.open(BOB).text
    assert [browser.open(f"{BOB}/roles/{each}/withdraw").status for each in (by_group, other)] == [404, 404]


def test_grant_that_needs_approval_leads_to_its_request(place, browser):
    place.person("bob")
    rule = ApprovalRule(object="role:r-viewer", role="r-admin")
    place.run(place.app.parts.approval_rules.set(rule, actor=SYSTEM))
    page = browser.submit(browser.open(f"{BOB}/roles/grant"), "grant", role="r-viewer")
    assert page.url.startswith(f"{ORIGIN}/ui/approvals/")
    assert grants(place, "bob") == []


def test_manager_finds_what_they_manage_on_their_account_page(place, browser):
    place.person("bob")
    place.person("carol")
    directory = place.identity.directory
    place.run(directory.create_group("leads", actor=SYSTEM))
    place.run(directory.create_group("web-team", managed_by="bob", actor=SYSTEM))
    place.run(directory.create_group("db-team", managed_by="leads", actor=SYSTEM))
    place.run(directory.create_service_account("robot", "Robot", managed_by="leads", actor=SYSTEM))
    place.run(directory.add_members("leads", ["bob"], actor=SYSTEM))
    bobs = place.signed_in("bob")
    page = bobs.open(f"{ORIGIN}/ui/account")
    hrefs = [each.attributes["href"] for each in Reading(page.text).all("a")]
    links = [each for each in hrefs if each.startswith(("/ui/groups/", "/ui/service-accounts/"))]
    assert links == ["/ui/groups/db-team", "/ui/groups/web-team", "/ui/service-accounts/robot"]
    assert [bobs.open(f"{ORIGIN}{each}").status for each in links] == [200, 200, 200]
    assert 'id="managed"' not in place.signed_in("carol").open(f"{ORIGIN}/ui/account").text
