"""The names by which clients reach this server are certified for the server alone, anyone who asks."""

import pytest

from sealwright.ca import issue_server_certificate, names
from sealwright.ca.errors import NameNotGranted
from sealwright.ca.models import Name, NameType, Person
from sealwright.ca.reserved import OwnNames
from tests.authorities import ALICE, ISSUER_URL, authority, csr, der_of, key, leaf_of, names_in, signing_key

OWN = ("ca.example.org", "localhost", "192.0.2.7", "2001:db8::1")
"""What the pure tests reserve; the authority of the others is reached as ca.example.org, 192.0.2.7 and ::1."""

SAME = [
    "ca.example.org",
    "CA.Example.ORG",
    "*.example.org",
    "*.EXAMPLE.org",
    "localhost",
    "LocalHost",
    "192.0.2.7",
    "::ffff:192.0.2.7",
    "::FFFF:c000:207",
    "2001:db8::1",
    "2001:0DB8:0:0:0:0:0:1",
]
OTHERS = [
    "web.example.org",
    "ca.example.org.example.net",
    "a.ca.example.org",
    "*.ca.example.org",
    "*.example.net",
    "example.org",
    "web.localhost",
    "192.0.2.8",
    "2001:db8::2",
    "someone@ca.example.org",
    "https://ca.example.org/oauth2/openid/step#2f6b",
]


def is_free(wanted, common_name="", *, own=OWN):
    try:
        OwnNames(own).require_others(wanted, common_name)
    except NameNotGranted:
        return False
    return True


@pytest.mark.parametrize("text", SAME)
def test_every_spelling_of_an_own_name_is_reserved(text):
    with pytest.raises(NameNotGranted) as told:
        OwnNames(OWN).require_others([names.parse(text)])
    assert names.parse(text).value in told.value.detail
    assert "belongs to this server" in told.value.detail


@pytest.mark.parametrize("text", [*SAME, "ca.example.org.", "Localhost."])
def test_own_name_is_reserved_as_a_common_name_too(text):
    with pytest.raises(NameNotGranted):
        OwnNames(OWN).require_others([Name(NameType.DNS, "web.example.org")], text)


@pytest.mark.parametrize("text", OTHERS)
def test_other_names_are_free(text):
    assert is_free([names.parse(text)], text)


@pytest.mark.parametrize("text", ["Alice", "alice@ca.example.org", "bad name", "a_b", "*"])
def test_common_name_that_is_no_host_name_is_free(text):
    assert is_free([], text)


def test_own_name_that_no_certificate_can_carry_needs_no_reserving():
    own = ["under_score", "ca.example.org"]
    assert is_free([names.parse("web.example.org")], "under_score", own=own)
    assert not is_free([names.parse("ca.example.org")], own=own)


# --- through each provisioner ---


async def expect_refused(ca, body):
    status, answer = await ca.call("POST", "/1.0/sign", body)
    assert status == 403, answer
    assert "it belongs to this server" in answer["message"], answer


THROUGH_THE_WIRE = ["ca.example.org", "CA.example.ORG", "*.example.org", "192.0.2.7", "::ffff:192.0.2.7", "::1"]


@pytest.mark.parametrize("name", THROUGH_THE_WIRE)
async def test_holder_of_a_provisioner_key_gets_no_certificate_for_this_server(tmp_path, name):
    async with authority(tmp_path) as ca:
        await ca.add_jwk()
        token = ca.jwk_token("web.example.org", sans=["web.example.org", name])
        await expect_refused(ca, {"csr": csr("web.example.org", ("web.example.org", name.lower())), "ott": token})
        await expect_refused(ca, {"csr": csr(name, (name.lower(),)), "ott": ca.jwk_token(name)})
        if not name.startswith("*"):  # which another rule refuses where it is not a name as well
            token = ca.jwk_token(name, sans=["web.example.org"])
            await expect_refused(ca, {"csr": csr(name, ("web.example.org",)), "ott": token})


async def test_name_of_this_server_with_a_dot_at_its_end_is_no_other_name(tmp_path):
    async with authority(tmp_path) as ca:
        await ca.add_jwk()
        token = ca.jwk_token("ca.example.org.")
        status, answer = await ca.call("POST", "/1.0/sign", {"csr": csr("ca.example.org."), "ott": token})
        assert status == 400
        assert "ends with a dot; write it without" in answer["message"]


@pytest.mark.parametrize("name", THROUGH_THE_WIRE)
@pytest.mark.parametrize("local", [True, False])
async def test_administrator_of_a_provisioner_gets_no_certificate_for_this_server(tmp_path, name, local):
    async with authority(tmp_path) as ca:
        await ca.add_oidc(admins=["alice@example.org"])
        if local:
            ca.add_local_provider()
        else:
            ca.outbound.add_provider(ISSUER_URL, signing_key("provider"))
        await expect_refused(ca, {"csr": csr("", ("web.example.org", name.lower())), "ott": ca.id_token()})
        await expect_refused(ca, {"csr": csr(name), "ott": ca.id_token()})


async def test_refused_own_name_is_in_the_audit_record_and_leaves_the_token_unused(tmp_path):
    async with authority(tmp_path) as ca:
        await ca.add_jwk()
        token = ca.jwk_token("ca.example.org")
        await expect_refused(ca, {"csr": csr("ca.example.org"), "ott": token})
        newest = (await ca.audit.newest(ca.db, at_most=1))[0]
        assert (newest.event, newest.outcome) == ("certificate.refused", "refused")
        assert "ca.example.org" in newest.details
        await expect_refused(ca, {"csr": csr("ca.example.org"), "ott": token})


async def test_certificate_for_a_name_that_became_this_server_s_own_is_not_renewed(tmp_path):
    async with authority(tmp_path) as ca:
        await ca.add_jwk()
        status, answer = await ca.call(
            "POST", "/1.0/sign", {"csr": csr("web.example.org"), "ott": ca.jwk_token("web.example.org")}
        )
        assert status == 201
        ca.issuance._own_names = OwnNames(["web.example.org"])
        status, told = await ca.call("POST", "/renew", certificate=der_of(answer))
        assert (status, "it belongs to this server" in told["message"]) == (403, True)


async def test_server_itself_gets_its_names(tmp_path):
    async with authority(tmp_path) as ca:
        made = await issue_server_certificate(ca.issuance, ["ca.example.org", "192.0.2.7", "::1"])
        assert "BEGIN CERTIFICATE" in made.chain_pem


# --- administrators by id ---


async def signed_any_name(ca, person=None):
    """What Alice gets who asks for another name, and is as `person` says by then."""
    body = {"csr": csr("", ("web.example.org",), private=key("alice")), "ott": ca.id_token()}
    if person is not None:
        ca.people[ALICE] = person
    status, answer = await ca.call("POST", "/1.0/sign", body)
    return status, names_in(leaf_of(answer)) if status == 201 else answer["message"]


def alice_in(**changes):
    known = {
        "id": ALICE,
        "name": "alice@example.org",
        "mails": ("alice@example.org",),
        "unverified_mails": (),
        "primary_mail": "alice@example.org",
        "groups": frozenset(),
    }
    return Person(**{**known, **changes})


@pytest.mark.parametrize("entry", [f"account:{ALICE}", "group:7c1e"])
async def test_administrator_may_be_given_by_the_id_of_an_account_or_a_group(tmp_path, entry):
    async with authority(tmp_path) as ca:
        await ca.add_oidc(admins=[entry])
        ca.add_local_provider()
        member = alice_in(groups=frozenset({"signers"}), group_ids=frozenset({"7c1e"}))
        assert await signed_any_name(ca, member) == (201, ["web.example.org"])
        other = alice_in(groups=frozenset({"7c1e"}), group_ids=frozenset({"another"}))
        assert (await signed_any_name(ca, other))[0] == (201 if entry.startswith("account:") else 403)


async def test_id_means_no_one_of_another_provider(tmp_path):
    async with authority(tmp_path) as ca:
        await ca.add_oidc(admins=[f"account:{ALICE}", "group:7c1e"])
        ca.outbound.add_provider(ISSUER_URL, signing_key("provider"))
        assert (await signed_any_name(ca))[0] == 403


async def test_group_that_is_asked_for_may_be_given_by_its_id(tmp_path):
    async with authority(tmp_path) as ca:
        await ca.add_oidc(groups=["group:7c1e"])
        ca.add_local_provider()
        for group_id, expected in (("7c1e", 201), ("another", 403)):
            body = {"csr": csr(""), "ott": ca.id_token()}
            ca.people[ALICE] = alice_in(group_ids=frozenset({group_id}))
            assert (await ca.call("POST", "/1.0/sign", body))[0] == expected


async def test_loss_of_the_group_counts_at_renewal(tmp_path):
    async with authority(tmp_path) as ca:
        await ca.add_oidc(admins=["group:7c1e"])
        ca.add_local_provider()
        body = {"csr": csr("", ("web.example.org",), private=key("alice")), "ott": ca.id_token()}
        ca.people[ALICE] = alice_in(group_ids=frozenset({"7c1e"}))
        _, answer = await ca.call("POST", "/1.0/sign", body)
        certificate = der_of(answer)
        assert (await ca.call("POST", "/renew", certificate=certificate))[0] == 201
        ca.people[ALICE] = alice_in()
        assert (await ca.call("POST", "/renew", certificate=certificate))[0] in (401, 403)
