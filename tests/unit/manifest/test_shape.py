"""Names and types of a manifest are judged before anything is sent, each fault with its place."""

import msgspec
import pytest

from sealwright.ca.provisioners.models import AccessTokenDefinition, JwkDefinition, OidcDefinition
from sealwright.manifest import Fault, faults_of
from sealwright.manifest.shape import MEMBERS


def faults(manifest, *, with_secrets=False):
    return faults_of({"version": 1, **manifest}, with_secrets=with_secrets)


def test_whole_manifest_has_no_fault():
    whole = {
        "prune": {"clients": True},
        "groups": {"team": {"description": "", "members": ["alice"]}},
        "people": {"alice": {"display_name": "Alice", "mails": ["a@x.org", {"address": "b@x.org", "verified": False}]}},
        "clients": {"wiki": {"kind": "public", "redirect_uris": [], "refresh_seconds": None, "scope_maps": {"team": ["openid"]}}},
        "provisioners": {"G": {"type": "OIDC", "clientSecret": {"env": "SECRET"}}},
    }
    assert faults(whole) == []


def test_every_fault_is_told_with_its_place_and_the_nearest_name():
    found = faults({
        "peple": {},
        "people": {"alice": {"display_nam": "A", "disabled": "yes"}},
        "clients": {"wiki": {"require_pkc": True, "kind": "private"}},
        "prune": {"client": True, "groups": "yes"},
        "groups": {"a": None},
    })  # fmt: skip
    assert [(each.pointer, each.hint) for each in found] == [
        ("/peple", "Perhaps people was meant."),
        ("/people/alice/display_nam", "Perhaps display_name was meant."),
        ("/people/alice/disabled", ""),
        ("/clients/wiki/require_pkc", "Perhaps require_pkce was meant."),
        ("/clients/wiki/kind", ""),
        ("/prune/client", "Perhaps clients was meant."),
        ("/prune/groups", ""),
        ("/groups/a", "Write it like: a: {}"),
    ]
    assert "true or false" in found[2].detail


@pytest.mark.parametrize("value", ["hunter2", {"value": "hunter2"}, {"env": ""}, {"env": "A", "file": "b"}, ["hunter2"], 7])
def test_secret_itself_is_refused_and_not_repeated(value):
    (fault,) = faults({"provisioners": {"G": {"clientSecret": value}}})
    assert fault.pointer == "/provisioners/G/clientSecret"
    assert "hunter2" not in str(fault)
    assert "env:" in fault.hint


@pytest.mark.parametrize("image", ["wiki.png", {"file": ""}, {"url": "https://x.example"}, {"file": "a", "data": "b"}, 7])
def test_image_is_a_file_or_its_data(image):
    (fault,) = faults({"clients": {"wiki": {"image": image}}})
    assert (fault.pointer, "{file: PATH}, or {data: BASE64}" in fault.hint) == ("/clients/wiki/image", True)


def test_file_of_an_image_is_for_a_file_and_its_data_for_both():
    for with_secrets in (True, False):
        assert faults({"clients": {"wiki": {"image": {"data": "eA=="}}, "app": {"image": None}}}, with_secrets=with_secrets) == []
    assert faults({"clients": {"wiki": {"image": {"file": "wiki.png"}}}}) == []
    assert faults({"clients": {"wiki": {"image": {"file": "wiki.png"}}}}, with_secrets=True)


def test_api_takes_secrets_and_no_references():
    assert faults({"provisioners": {"G": {"clientSecret": "x"}}}, with_secrets=True) == []
    assert faults({"provisioners": {"G": {"clientSecret": {"env": "X"}}}}, with_secrets=True)


@pytest.mark.parametrize("version", [None, 2, "1", True])
def test_version_must_be_known(version):
    assert [each.pointer for each in faults_of({"version": version}, with_secrets=False)] == ["/version"]


def test_list_is_no_manifest():
    assert faults_of([], with_secrets=False) == [Fault("", "A manifest is a mapping.", "Begin it with: version: 1")]


def test_members_of_provisioners_are_those_of_their_definitions():
    defined = {
        field.encode_name
        for kind in (OidcDefinition, JwkDefinition, AccessTokenDefinition)
        for field in msgspec.structs.fields(kind)
    }
    assert set(MEMBERS["provisioners"]) == defined - {"name"}
