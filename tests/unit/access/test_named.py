"""A name that a provisioner trusts carries what the provisioner lets its owner do."""

import pytest

from sealwright.access import (
    Actor,
    BeyondOwnAuthority,
    NamedAuthority,
    NameKind,
    Permission,
    Role,
    permissions_of,
    require_over_names,
)

ANY_NAME = frozenset({Permission.CERTIFICATE_ISSUE_ANY_NAME})
TRUSTED = NamedAuthority("the provisioner ops", "admins", NameKind.MAIL, "carl@example.org", ANY_NAME)
USED = NamedAuthority("the provisioner web", "groups", NameKind.GROUP_NAME, "web")
PEOPLE_ADMIN = Actor("person", "p1", "pat", permissions_of([Role.PEOPLE_ADMINISTRATOR]))
CA_ADMIN = Actor("person", "c1", "carl", permissions_of([Role.CA_ADMINISTRATOR]))


def test_name_is_given_only_by_someone_who_holds_what_it_confers():
    require_over_names(CA_ADMIN, [USED, TRUSTED], "add this mail address")
    with pytest.raises(BeyondOwnAuthority) as caught:
        require_over_names(PEOPLE_ADMIN, [USED, TRUSTED], "add this mail address")
    assert caught.value.detail == (
        "pat may not add this mail address: the provisioner ops trusts the mail address carl@example.org."
    )
    assert caught.value.reasons == (
        "the provisioner ops names it in admins, which carries certificate:issue-any-name",
        "certificate:issue-any-name is held by members of system_admins, ca_admins",
    )


def test_every_name_counts_not_only_the_first():
    with pytest.raises(BeyondOwnAuthority):
        require_over_names(PEOPLE_ADMIN, [USED, USED, TRUSTED], "rename this group")


def test_name_that_is_only_used_may_be_given_by_anyone():
    with pytest.raises(BeyondOwnAuthority):
        require_over_names(PEOPLE_ADMIN, [TRUSTED], "rename this group")
    require_over_names(PEOPLE_ADMIN, [USED], "rename this group")
    require_over_names(PEOPLE_ADMIN, [], "rename this group")
