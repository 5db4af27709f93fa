"""Which claims can be mapped, and what comes of several groups."""

from itertools import chain

import pytest

from sealwright.client_metadata import ClientRefused
from sealwright.oauth.claims import CLAIMS_OF_SCOPE
from sealwright.oauth.maps import rules
from sealwright.oauth.maps.models import ClaimJoin, ClaimMap, ClaimValues

GROUPS = (ClaimValues("g1", "staff", ("reader", "editor")), ClaimValues("g2", "admins", ("admin", "editor")))


@pytest.mark.parametrize(
    ("join", "told"),
    [
        (ClaimJoin.ARRAY, ["admin", "editor", "reader"]),
        (ClaimJoin.CSV, "admin,editor,reader"),
        (ClaimJoin.SSV, "admin editor reader"),
    ],
)
def test_values_of_all_groups_are_told_once_each_and_joined_as_set(join, told):
    assert rules.mapped_claims([ClaimMap("roles", join, GROUPS)], {"g1", "g2", "g3"}) == {"roles": told}


def test_claim_without_a_value_for_the_person_is_left_out():
    assert rules.mapped_claims([ClaimMap("roles", ClaimJoin.ARRAY, GROUPS)], {"g3"}) == {}


@pytest.mark.parametrize("claim", sorted({*chain(*CLAIMS_OF_SCOPE.values()), "iss", "amr", "sans"}))
def test_claim_with_a_meaning_of_its_own_cannot_be_mapped(claim):
    with pytest.raises(ClientRefused, match=f"The claim {claim} cannot be mapped"):
        rules.require_claim_name(claim)


@pytest.mark.parametrize("claim", ["", "a b", "1st", "x" * 129, "r\u00f4les", 'a"b', "a\n"])
def test_malformed_claim_is_refused(claim):
    with pytest.raises(ClientRefused, match="cannot be the name of a claim"):
        rules.require_claim_name(claim)


@pytest.mark.parametrize("value", ["", "a b", "a,b", "x" * 129, "a\n", "a\x00"])
def test_malformed_value_is_refused(value):
    with pytest.raises(ClientRefused, match="cannot be the value"):
        rules.require_claim_values(["good", value])


@pytest.mark.parametrize("claim", ["roles", "https://example.org/claims/role", "resource_access.wiki"])
def test_names_of_other_providers_can_be_mapped(claim):
    rules.require_claim_name(claim)
    assert claim not in rules.RESERVED_CLAIMS


def test_at_least_one_value_is_needed():
    with pytest.raises(ClientRefused, match="1 to 100 values"):
        rules.require_claim_values([])
