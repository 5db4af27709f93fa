"""Profiles that administrators store: linted before they are saved, chosen by provisioners, and right at the signature."""

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from sealwright.access import SYSTEM, Actor, Permission, Permissions, Scope, ScopeKind
from sealwright.access.approvals import ApprovalPending, ApprovalRule, NotOpen, RequestState
from sealwright.ca.errors import ProfileRefused
from sealwright.ca.profiles import ProfileExists, ProfileInUse, ProfileMissing, ProfileReadOnly
from sealwright.ca.provisioners import DefinitionRefused
from sealwright.errors import NotPermitted
from tests.authorities import build, csr, key, leaf_of
from tests.unit.ca import examples
from tests.unit.ca.test_approvals import people

WEB = "web.example.org"
SITES = {
    "name": "sites",
    "name_types": ["dns"],
    "key_kinds": ["EC"],
    "key_uses": ["digital_signature"],
    "extended_uses": ["server_auth"],
    "shortest": "1h",
    "default": "48h",
    "longest": "10d",
}
EDITOR = Permissions(frozenset({Permission.PROFILE_WRITE}))


async def stored(ca, **members):
    return await ca.profiles.create({**SITES, **members}, actor=SYSTEM)


async def sign(ca, request=None, subject=WEB, signer="admin", **members):
    token = ca.jwk_token(subject, name=signer)
    return await ca.call("POST", "/sign", {"csr": request or csr(subject, (subject,)), "ott": token, **members})


def life_of(leaf):
    return leaf.not_valid_after_utc - leaf.not_valid_before_utc


async def test_certificate_of_a_stored_profile_has_its_shape_and_lifetime(ca):
    await stored(ca)
    await ca.add_jwk(profile="sites")
    status, answer = await sign(ca)
    assert status == 201
    leaf = leaf_of(answer)
    assert list(leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == [x509.OID_SERVER_AUTH]
    assert timedelta(hours=48) <= life_of(leaf) <= timedelta(hours=48, minutes=2)


@pytest.mark.parametrize(
    ("request_", "subject", "members", "said"),
    [
        (None, "192.0.2.9", {}, "the profile sites has no IP addresses"),
        (csr(WEB, (WEB,), private=key("rsa", "RSA")), WEB, {}, "A key of the kind RSA is not admitted by the profile sites"),
        (None, WEB, {"notAfter": "250h"}, "the profile sites allows 10 days"),
        (None, WEB, {"notAfter": "20m"}, "the profile sites allows no less than 1 hour"),
        (None, "*.example.org", {}, "the profile sites has no wildcards"),
    ],
)
async def test_what_a_stored_profile_does_not_allow_is_refused_by_name(ca, request_, subject, members, said):
    await stored(ca)
    await ca.add_jwk(profile="sites")
    status, answer = await sign(ca, request_, subject, **members)
    assert status == 403
    assert said in answer["message"]


async def test_key_that_is_weaker_than_the_profile_asks_for_is_refused(ca):
    await stored(ca, curves=["P-384"], key_kinds=["EC", "RSA"], shortest_rsa=3072)
    await ca.add_jwk(profile="sites")
    for weak, said in (("P-256", "on P-256, not on P-384"), ("RSA-2048", "has 2048 bits; at least 3072")):
        status, answer = await sign(ca, csr(WEB, (WEB,), private=examples.key(weak)))
        assert (status, said in answer["message"]) == (403, True)
    assert (await sign(ca, csr(WEB, (WEB,), private=examples.key("P-384"))))[0] == 201


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"key_uses": ["key_encipherment"], "key_kinds": ["EC"]}, "a key of the kind EC has no key usage"),
        ({"key_uses": ["content_commitment"], "key_kinds": ["Ed25519"]}, "server_auth needs the key usage"),
        (
            {"key_uses": ["key_agreement"], "extended_uses": ["code_signing"]},
            "code_signing needs the key usage digital_signature",
        ),
    ],
)
async def test_profile_whose_certificates_would_fail_the_lint_is_refused_with_the_reason(ca, members, said):
    with pytest.raises(ProfileRefused, match="No certificate of the profile sites would pass the lint") as caught:
        await stored(ca, **members)
    assert said in caught.value.detail
    assert "RFC 5280" in caught.value.reasons[0]
    assert await ca.profiles.find("sites") is None


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"extended_uses": ["ocsp_signing"]}, "extended_uses"),
        ({"unknown": 1}, "unknown"),
        ({"longest": "90 days"}, "longest"),
        ({"longest": 7}, "longest"),
        ({"shortest": "20h", "longest": "10h", "default": "10h"}, "shortest"),
        ({"default": "1000h"}, "default"),
        ({"name": "Sites"}, "lower-case"),
        ({"wildcards": True, "name_types": ["ip"]}, "wildcards"),
        ({"shortest_rsa": 1024}, "shortest_rsa"),
        ({"crl_url": "https://crl.example.org/"}, "crl_url"),
        ({"description": "a\u202eb"}, "description"),
        ({"issuer": "Another CA"}, "Another CA"),
    ],
)
async def test_profile_that_makes_no_sense_is_refused_naming_the_member(ca, members, said):
    with pytest.raises(ProfileRefused) as caught:
        await stored(ca, **members)
    assert said in caught.value.detail


async def test_built_in_profile_is_neither_changed_nor_deleted_nor_made_again(ca):
    with pytest.raises(ProfileReadOnly, match="step_leaf"):
        await ca.profiles.change("step_leaf", {"longest": "1h"}, actor=SYSTEM)
    with pytest.raises(ProfileReadOnly):
        await ca.profiles.delete("server", actor=SYSTEM)
    with pytest.raises(ProfileExists):
        await stored(ca, name="step_leaf")


async def test_profile_that_a_provisioner_chooses_is_not_deleted_and_who_does_is_named(ca):
    await stored(ca)
    await ca.add_jwk(profile="sites")
    with pytest.raises(ProfileInUse, match="The profile sites is chosen by the provisioner admin") as caught:
        await ca.profiles.delete("sites", actor=SYSTEM)
    assert caught.value.reasons == ("the provisioner admin chooses it",)
    await ca.provisioners.remove("admin", SYSTEM)
    await ca.profiles.delete("sites", actor=SYSTEM)
    with pytest.raises(ProfileMissing):
        await ca.profiles.named("sites")


async def test_provisioner_chooses_only_what_exists_and_nothing_wider(ca):
    await stored(ca)
    for members, said in (
        ({"profile": "nosuch"}, "There is no profile nosuch"),
        ({"profile": "sites", "issuer": "Nobody"}, "no issuing CA that signs has this name"),
        ({"profile": "sites", "claims": {"maxTLSCertDuration": "2160h"}}, "the profile sites allows 1h0m0s to 240h0m0s"),
    ):
        with pytest.raises(DefinitionRefused) as caught:
            await ca.add_jwk(**members)
        assert said in caught.value.detail
    (issuer,) = await ca.issuers.intermediates()
    await ca.add_jwk(profile="sites", issuer=issuer.name, claims={"maxTLSCertDuration": "72h", "defaultTLSCertDuration": "24h"})
    assert (await sign(ca))[0] == 201
    assert (await sign(ca, notAfter="80h"))[0] == 403


async def test_profile_that_was_narrowed_counts_at_the_next_certificate_also_on_another_node(ca, tmp_path):
    await stored(ca)
    await ca.add_jwk(profile="sites")
    other = await build(ca.db, tmp_path, clock=ca.clock)
    assert (await other.call("POST", "/sign", {"csr": csr(WEB, (WEB,)), "ott": ca.jwk_token(WEB)}))[0] == 201
    await ca.profiles.change("sites", {"longest": "10h", "default": "2h"}, actor=SYSTEM)
    # the clock stands: the other node still remembers the profile, and its transaction finds it changed
    status, answer = await other.call("POST", "/sign", {"csr": csr(WEB, (WEB,)), "ott": ca.jwk_token(WEB)})
    assert status == 201
    assert life_of(leaf_of(answer)) < timedelta(hours=3)


async def test_renewal_follows_the_profile_of_today(ca):
    await stored(ca, extended_uses=["server_auth", "client_auth"])
    await ca.add_jwk(profile="sites")
    _, answer = await sign(ca)
    await ca.profiles.change("sites", {"longest": "10h", "default": "2h"}, actor=SYSTEM)
    status, renewed = await ca.call("POST", "/renew", certificate=leaf_of(answer).public_bytes(Encoding.DER))
    assert status == 201
    assert life_of(leaf_of(renewed)) < timedelta(hours=11)


async def test_who_may_change_one_profile_may_change_no_other(ca):
    await stored(ca)
    await stored(ca, name="others")
    scope = Scope(ScopeKind.PROFILE, "sites")
    actor = Actor("person", "x", "pat", Permissions.within(frozenset({Permission.PROFILE_WRITE}), scope))
    assert (await ca.profiles.change("sites", {"longest": "100h"}, actor=actor)).profile.longest == timedelta(hours=100)
    for act in (
        ca.profiles.change("others", {"longest": "100h"}, actor=actor),
        ca.profiles.delete("others", actor=actor),
        stored_by(ca, actor),
    ):
        with pytest.raises(NotPermitted, match="profile:write"):
            await act


async def stored_by(ca, actor):
    return await ca.profiles.create({**SITES, "name": "third"}, actor=actor)


async def test_grant_within_a_profile_keeps_it_from_being_deleted(ca):
    await ca.app.seed()
    await stored(ca)
    await people(ca, "pat", group="operators")
    roles = ca.app.parts.identity.roles
    await roles.grant("r-operator", person="pat", scope=Scope(ScopeKind.PROFILE, "sites"), actor=SYSTEM)
    with pytest.raises(ProfileInUse, match="1 grant of a role"):
        await ca.profiles.delete("sites", actor=SYSTEM)
    assert await ca.profiles.find("sites") is not None


# --- approval --------------------------------------------------------------------------------------------------------


@pytest.fixture
async def guarded(ca):
    """A stored profile that asks for approval, and someone who may change profiles."""
    await ca.app.seed()
    await stored(ca)
    await ca.add_jwk(profile="sites")
    ca.alice, ca.bob = await people(ca, "alice", "bob")
    (ca.editor,) = await people(ca, "editor", group="editors")
    await ca.app.parts.identity.roles.grant("r-ca-admin", group="editors", actor=SYSTEM)
    ca.editor = Actor("person", ca.editor.id, "editor", EDITOR)
    rule = ApprovalRule(object="profile:sites", votes=1, group_id="approvers")
    await ca.app.parts.approval_rules.set(rule, actor=SYSTEM)
    return ca


async def held(ca, *, delete=False, **members):
    with pytest.raises(ApprovalPending, match="waits for approval") as caught:
        await (ca.profiles.delete("sites", actor=ca.editor) if delete else ca.profiles.change("sites", members, actor=ca.editor))
    return caught.value.request_id


async def test_edit_of_a_profile_that_asks_for_approval_is_held_and_made_with_the_approval(guarded):
    request_id = await held(guarded, longest="100h")
    assert (await guarded.profiles.named("sites")).profile.longest == timedelta(hours=240)
    approvals = guarded.app.parts.approvals
    request = (await approvals.show(request_id, actor=guarded.alice)).request
    assert (request.content["before"]["longest"], request.content["after"]["longest"]) == ("240h0m0s", "100h0m0s")
    assert (await approvals.approve(request_id, "", actor=guarded.alice)).state is RequestState.DONE
    assert (await guarded.profiles.named("sites")).profile.longest == timedelta(hours=100)


async def test_held_edit_of_a_profile_that_was_changed_meanwhile_is_stale(guarded):
    request_id = await held(guarded, longest="100h")
    await guarded.profiles.change("sites", {"description": "other"}, actor=SYSTEM)
    with pytest.raises(NotOpen, match="changed meanwhile"):
        await guarded.app.parts.approvals.approve(request_id, "", actor=guarded.alice)
    assert (await guarded.profiles.named("sites")).profile.longest == timedelta(hours=240)


async def test_held_edit_of_someone_who_lost_the_permission_is_not_made(guarded):
    request_id = await held(guarded, longest="100h")
    directory = guarded.app.parts.identity.directory
    await directory.remove_members("editors", ["editor"], actor=SYSTEM)
    with pytest.raises(NotOpen, match="profile:write"):
        await guarded.app.parts.approvals.approve(request_id, "", actor=guarded.alice)
    assert (await guarded.profiles.named("sites")).profile.longest == timedelta(hours=240)


async def test_deletion_of_a_profile_that_asks_for_approval_is_held_too(guarded):
    await guarded.provisioners.remove("admin", SYSTEM)
    request_id = await held(guarded, delete=True)
    assert await guarded.profiles.find("sites") is not None
    await guarded.app.parts.approvals.approve(request_id, "", actor=guarded.alice)
    assert await guarded.profiles.find("sites") is None


async def test_approved_certificate_is_not_released_by_a_profile_that_was_changed_meanwhile(guarded):
    request = csr(WEB, (WEB,))
    assert (await sign(guarded, request))[0] == 409
    approvals = guarded.app.parts.approvals
    (pending,) = (await approvals.all(SYSTEM)).requests
    await approvals.approve(pending.id, "", actor=guarded.alice)
    await guarded.profiles.change("sites", {"extended_uses": ["server_auth", "client_auth"]}, actor=SYSTEM)
    status, answer = await sign(guarded, request)
    assert status == 409
    assert pending.id not in answer["message"]  # other bytes are another request


async def test_profile_changed_between_decision_and_record_is_decided_anew(ca, tmp_path):
    await stored(ca)
    await ca.add_jwk(profile="sites")
    await ca.profiles.find("sites")
    other = await build(ca.db, tmp_path, clock=ca.clock)
    await other.profiles.change("sites", {"name_types": ["ip"]}, actor=SYSTEM)
    status, answer = await sign(ca)
    assert status == 403
    assert "has no DNS names" in answer["message"]
