"""The rail shows what someone may see, and nothing else."""

import pytest

from sealwright.access import ROLES, Permission, Permissions, Role, Scope, ScopeKind, permissions_of
from sealwright.web.navigation import PLACES, place_of, places_of
from tests.pages_place import pages_place


def shown(permissions):
    return {place.path for group in places_of(permissions) for place in group.places}


def test_someone_without_permissions_sees_only_what_is_their_own():
    assert [group.label for group in places_of(Permissions())] == ["Mine"]


def test_administrator_sees_every_place():
    assert shown(permissions_of([Role.ADMINISTRATOR])) == {place.path for place in PLACES}


@pytest.mark.parametrize("role", ROLES)
def test_each_role_is_led_only_to_what_its_permissions_open(role):
    held = permissions_of([role])
    for place in PLACES:
        assert (place.path in shown(held)) == (not place.permissions or any(map(held.holds, place.permissions)))


def test_permission_within_a_scope_opens_its_place():
    within = Permissions.within(frozenset({Permission.CLIENT_READ}), Scope(ScopeKind.PROFILE, "web"))
    assert "/ui/clients" in shown(within)


def test_page_belongs_to_the_place_with_the_longest_path():
    assert place_of("/ui/account/certificates/01a3").label == "My certificates"
    assert place_of("/ui/account/password").label == "My account"
    assert place_of("/ui/accounts") is None


def test_every_place_has_a_route_that_asks_for_one_of_its_permissions():
    with pages_place() as place:
        routes = {route.path: route for route in place.page_routes if route.method == "GET"}
    for each in PLACES:
        assert each.path in routes
        one_permission = len(each.permissions) == 1  # with several, each part of the page is shown to those who may read it
        assert not one_permission or routes[each.path].access == each.permissions[0]
