"""Certificates that need approval: held before any key is used, and released once, to who asked for them."""

import asyncio
import base64
import json
from datetime import timedelta

import msgspec
import pytest
from cryptography import x509

from sealwright.access import SYSTEM, Actor
from sealwright.access.approvals import (
    AlreadyVoted,
    ApprovalRule,
    MayNotVote,
    NotOpen,
    RequestState,
)
from sealwright.audit import Audit
from sealwright.ca import store
from sealwright.errors import InvalidInput, NotPermitted
from tests.authorities import csr, der_of, key, leaf_of

PROFILE = "profile:step_leaf"
WEB = "web.example.org"


async def people(ca, *names, group="approvers"):
    """New people, members of a new group; as actors."""
    directory = ca.app.parts.identity.directory
    if await directory.find_group(group) is None:
        await directory.create_group(group, actor=SYSTEM)
    made = []
    for name in names:
        account = await directory.create_person(name, name.title(), actor=SYSTEM)
        await directory.add_members(group, [name], actor=SYSTEM)
        made.append(Actor("person", account.id, name))
    return made


async def ask(ca, votes=1, guarded=PROFILE, **members):
    await ca.app.parts.approval_rules.set(
        ApprovalRule(object=guarded, votes=votes, group_id="approvers", **members), actor=SYSTEM
    )


async def sign(ca, request, subject=WEB, signer=None, **members):
    token = ca.jwk_token(subject) if signer is None else signer
    return await ca.call("POST", "/sign", {"csr": request, "ott": token, **members})


async def everything(ca):
    return list(await store.newest(ca.db, older_than=store.NO_SERIAL_IS_GREATER, at_most=100))


async def the_request(ca):
    (request,) = (await ca.app.parts.approvals.all(SYSTEM)).requests
    return request


@pytest.fixture
async def guarded(ca):
    """An authority whose profile asks for one of two people."""
    await ca.app.seed()
    await ca.add_jwk()
    ca.alice, ca.bob = await people(ca, "alice", "bob")
    await ask(ca)
    return ca


async def test_certificate_that_needs_approval_is_held_before_any_key_is_used(guarded):
    status, answer = await sign(guarded, csr(WEB, (WEB,)))
    request = await the_request(guarded)
    assert status == 409
    assert f"waits for approval as the request {request.id}" in answer["message"]
    assert "ask again with the same key" in answer["message"]
    assert await everything(guarded) == []


async def test_held_request_has_the_exact_bytes_and_says_them_in_words(guarded):
    await sign(guarded, csr(WEB, (WEB,)), notAfter="2h")
    content = (await the_request(guarded)).content
    to_be_signed = base64.b64decode(content["to_be_signed"])
    assert content["names"] == [f"dns:{WEB}"]
    assert content["validity"] == "from when it is fetched, for 2 hours and 1 minute"
    assert bytes.fromhex(content["serial"]) in to_be_signed
    assert content["provisioner"] == "admin"


async def test_approved_certificate_is_what_was_held_but_for_its_validity(guarded):
    request = csr(WEB, (WEB,))
    await sign(guarded, request)
    held = await the_request(guarded)
    await guarded.app.parts.approvals.approve(held.id, "known service", actor=guarded.alice)
    guarded.clock.advance(timedelta(hours=5))
    status, answer = await sign(guarded, request)
    assert status == 201
    leaf = leaf_of(answer)
    assert leaf.serial_number == int(held.content["serial"], 16)
    old, new = base64.b64decode(held.content["to_be_signed"]), leaf.tbs_certificate_bytes
    differing = [place for place, (one, other) in enumerate(zip(old, new, strict=True)) if one != other]
    assert len(old) == len(new)
    assert max(differing) - min(differing) < 32  # the two times, which stand beside each other
    length = (held.content["not_after"] - held.content["not_before"]) // 1000
    assert (leaf.not_valid_after_utc - leaf.not_valid_before_utc).total_seconds() == length


async def test_same_key_and_names_wait_for_the_same_request_however_often_they_ask(guarded):
    for _ in range(3):
        assert (await sign(guarded, csr(WEB, (WEB,))))[0] == 409
    assert (await the_request(guarded)).state is RequestState.PENDING


async def test_another_key_or_another_name_is_another_request(guarded):
    await sign(guarded, csr(WEB, (WEB,)))
    await sign(guarded, csr(WEB, (WEB,), private=key("other")))
    await sign(guarded, csr("db.example.org", ("db.example.org",)), "db.example.org")
    assert len((await guarded.app.parts.approvals.all(SYSTEM)).requests) == 3


async def test_approval_is_good_for_one_certificate(guarded):
    request = csr(WEB, (WEB,))
    await sign(guarded, request)
    held = await the_request(guarded)
    await guarded.app.parts.approvals.approve(held.id, "", actor=guarded.alice)
    first = der_of((await sign(guarded, request))[1])
    again = der_of((await sign(guarded, request))[1])  # as when the connection broke
    assert again == first
    guarded.clock.advance(timedelta(minutes=11))
    status, _ = await sign(guarded, request)
    assert status == 409
    assert len(await everything(guarded)) == 1


async def test_requests_that_race_for_one_approval_get_one_certificate(guarded):
    request = csr(WEB, (WEB,))
    await sign(guarded, request)
    await guarded.app.parts.approvals.approve((await the_request(guarded)).id, "", actor=guarded.alice)
    answers = await asyncio.gather(*(sign(guarded, request) for _ in range(5)))
    assert 201 in [status for status, _ in answers]
    assert {status for status, _ in answers} <= {201, 503}
    assert len({der_of(answer) for status, answer in answers if status == 201}) == 1
    assert len(await everything(guarded)) == 1


async def test_two_people_must_approve_where_two_are_asked(guarded):
    guarded.clock.advance(timedelta(seconds=1))
    await ask(guarded, votes=2)
    request = csr(WEB, (WEB,))
    await sign(guarded, request)
    held, approvals = await the_request(guarded), guarded.app.parts.approvals
    assert (await approvals.approve(held.id, "", actor=guarded.alice)).state is RequestState.PENDING
    assert (await sign(guarded, request))[0] == 409
    assert (await approvals.approve(held.id, "", actor=guarded.bob)).state is RequestState.APPROVED
    assert (await sign(guarded, request))[0] == 201


async def test_two_people_who_approve_at_once_both_count(guarded):
    await ask(guarded, votes=2)
    request = csr(WEB, (WEB,))
    await sign(guarded, request)
    held, approvals = await the_request(guarded), guarded.app.parts.approvals
    await asyncio.gather(*(approvals.approve(held.id, "", actor=each) for each in (guarded.alice, guarded.bob)))
    assert (await the_request(guarded)).state is RequestState.APPROVED
    assert (await sign(guarded, request))[0] == 201


async def test_one_person_counts_once(guarded):
    await ask(guarded, votes=2)
    await sign(guarded, csr(WEB, (WEB,)))
    held, approvals = await the_request(guarded), guarded.app.parts.approvals
    await approvals.approve(held.id, "", actor=guarded.alice)
    with pytest.raises(AlreadyVoted):
        await approvals.approve(held.id, "", actor=guarded.alice)
    assert (await the_request(guarded)).state is RequestState.PENDING


async def test_someone_who_is_not_asked_may_not_decide(guarded):
    (mallory,) = await people(guarded, "mallory", group="others")
    await sign(guarded, csr(WEB, (WEB,)))
    held = await the_request(guarded)
    with pytest.raises(MayNotVote, match="none of those who may decide"):
        await guarded.app.parts.approvals.approve(held.id, "", actor=mallory)
    with pytest.raises(NotPermitted):
        await guarded.app.parts.approvals.show(held.id, actor=mallory)


async def test_approval_of_someone_who_left_the_group_meanwhile_does_not_count(guarded):
    request = csr(WEB, (WEB,))
    await sign(guarded, request)
    await guarded.app.parts.approvals.approve((await the_request(guarded)).id, "", actor=guarded.alice)
    await guarded.app.parts.identity.directory.remove_members("approvers", ["alice"], actor=SYSTEM)
    assert (await sign(guarded, request))[0] == 409
    await guarded.app.parts.approvals.approve((await the_request(guarded)).id, "", actor=guarded.bob)
    assert (await sign(guarded, request))[0] == 201


async def test_approval_of_someone_who_was_disabled_meanwhile_does_not_count(guarded):
    request = csr(WEB, (WEB,))
    await sign(guarded, request)
    await guarded.app.parts.approvals.approve((await the_request(guarded)).id, "", actor=guarded.alice)
    await guarded.app.parts.identity.directory.disable("alice", actor=SYSTEM)
    assert (await sign(guarded, request))[0] == 409


async def test_who_stored_the_provisioner_may_not_approve_what_its_key_asks_for(guarded):
    directory = guarded.app.parts.identity.directory
    await directory.add_members("system_admins", ["alice"], actor=SYSTEM)
    from sealwright.access import Role, permissions_of
    from sealwright.jose import jwk_of
    from tests.authorities import signing_key

    alice = msgspec.structs.replace(guarded.alice, permissions=permissions_of([Role.ADMINISTRATOR]))
    signer = signing_key("jwk hers")
    await guarded.parts.provisioners.add(
        {"type": "JWK", "name": "hers", "key": jwk_of(signer.public_key, signer.id, "ES256")}, alice
    )
    await sign(guarded, csr(WEB, (WEB,)), signer=guarded.jwk_token(WEB, signer="jwk hers", issuer="hers"))
    held = await the_request(guarded)
    with pytest.raises(MayNotVote, match="which is their own"):
        await guarded.app.parts.approvals.approve(held.id, "", actor=guarded.alice)
    assert (await guarded.app.parts.approvals.approve(held.id, "", actor=guarded.bob)).state is RequestState.APPROVED


async def test_person_may_not_approve_their_own_certificate(guarded):
    guarded.add_local_provider()
    await guarded.add_oidc()
    guarded.holder_statuses[guarded.alice.id] = guarded.holder_statuses.pop(next(iter(guarded.holder_statuses)))
    token = guarded.id_token(sub=guarded.alice.id)
    await guarded.call("POST", "/sign", {"csr": csr(), "ott": token})
    held = await the_request(guarded)
    assert held.requester_id == guarded.alice.id
    with pytest.raises(MayNotVote, match="which is their own"):
        await guarded.app.parts.approvals.approve(held.id, "", actor=guarded.alice)
    again = msgspec.structs.replace(guarded.alice, session_id="of an API key", api_key="of an API key")
    with pytest.raises(MayNotVote, match="only people who signed in may"):
        await guarded.app.parts.approvals.approve(held.id, "", actor=again)


async def test_approver_does_not_decide_through_a_service_account(guarded):
    await sign(guarded, csr(WEB, (WEB,)))
    held = await the_request(guarded)
    with pytest.raises(MayNotVote, match="only people who signed in may"):
        await guarded.app.parts.approvals.approve(held.id, "", actor=Actor("service", guarded.alice.id, "robot"))


async def test_expired_request_is_not_approved_and_its_approval_is_not_used(guarded):
    request = csr(WEB, (WEB,))
    await sign(guarded, request)
    held, approvals = await the_request(guarded), guarded.app.parts.approvals
    await approvals.approve(held.id, "", actor=guarded.alice)
    guarded.clock.advance(timedelta(hours=168))
    status, _ = await sign(guarded, request)
    assert status == 409
    with pytest.raises(NotOpen, match="expired at"):
        await approvals.approve(held.id, "", actor=guarded.bob)
    assert await everything(guarded) == []
    assert await approvals.close_expired() == 1
    (expired,) = [each for each in await Audit.newest(guarded.db, at_most=100) if each.event == "approval.expired"]
    assert expired.target == f"approval:{held.id}"


async def test_rejected_request_is_told_with_the_comment_and_stays_rejected(guarded):
    request = csr(WEB, (WEB,))
    await sign(guarded, request)
    held, approvals = await the_request(guarded), guarded.app.parts.approvals
    await approvals.reject(held.id, "not yours", actor=guarded.alice)
    status, answer = await sign(guarded, request)
    assert (status, "was rejected by alice: not yours" in answer["message"]) == (403, True)
    with pytest.raises(NotOpen, match="was rejected"):
        await approvals.approve(held.id, "", actor=guarded.bob)


async def test_rejection_stops_an_approved_request_that_was_not_used_yet(guarded):
    request = csr(WEB, (WEB,))
    await sign(guarded, request)
    held, approvals = await the_request(guarded), guarded.app.parts.approvals
    await approvals.approve(held.id, "", actor=guarded.alice)
    await approvals.reject(held.id, "", actor=guarded.bob)
    assert (await sign(guarded, request))[0] == 403


async def test_withdrawn_request_is_asked_for_anew(guarded):
    request = csr(WEB, (WEB,))
    await sign(guarded, request)
    held, approvals = await the_request(guarded), guarded.app.parts.approvals
    with pytest.raises(NotPermitted):
        await approvals.withdraw(held.id, actor=guarded.alice)
    await approvals.withdraw(held.id, actor=SYSTEM)
    with pytest.raises(NotOpen, match="was withdrawn"):
        await approvals.approve(held.id, "", actor=guarded.alice)
    assert (await sign(guarded, request))[0] == 409
    assert len((await approvals.all(SYSTEM)).requests) == 2


async def test_group_of_approvers_that_is_gone_lets_nothing_through_and_is_named(guarded):
    request = csr(WEB, (WEB,))
    await sign(guarded, request)
    directory = guarded.app.parts.identity.directory
    gone = await directory.find_group("approvers")
    await directory.delete_group("approvers", actor=SYSTEM)
    for asked in (request, csr(WEB, (WEB,), private=key("another"))):
        status, answer = await sign(guarded, asked)
        assert status == 403
        assert gone.id in answer["message"]
        assert "does not exist any more" in answer["message"]
    assert await everything(guarded) == []


@pytest.mark.parametrize("text", ["x" * 10_000, "fine \u202e evil", "a\x00b"])
async def test_comment_that_deceives_or_never_ends_is_refused(guarded, text):
    await sign(guarded, csr(WEB, (WEB,)))
    with pytest.raises(InvalidInput, match="comment"):
        await guarded.app.parts.approvals.approve((await the_request(guarded)).id, text, actor=guarded.alice)


async def test_renewal_of_an_approved_certificate_needs_no_approval(guarded):
    request = csr(WEB, (WEB,))
    await sign(guarded, request)
    await guarded.app.parts.approvals.approve((await the_request(guarded)).id, "", actor=guarded.alice)
    first = der_of((await sign(guarded, request))[1])
    status, answer = await guarded.call("POST", "/renew", certificate=first)
    assert status == 201
    status, _ = await guarded.call("POST", "/renew", certificate=der_of(answer))
    assert status == 201
    assert {each.approval_id for each in await everything(guarded)} == {(await the_request(guarded)).id}


async def test_renewal_needs_approval_where_the_rule_says_so(guarded):
    await ask(guarded, renewals=True)
    request = csr(WEB, (WEB,))
    await sign(guarded, request)
    await guarded.app.parts.approvals.approve((await the_request(guarded)).id, "", actor=guarded.alice)
    first = der_of((await sign(guarded, request))[1])
    status, answer = await guarded.call("POST", "/renew", certificate=first)
    assert (status, "waits for approval" in answer["message"]) == (409, True)


async def test_renewal_of_a_certificate_from_before_the_rule_needs_approval(ca):
    await ca.app.seed()
    await ca.add_jwk()
    await people(ca, "alice")
    first = der_of((await sign(ca, csr(WEB, (WEB,))))[1])
    await ask(ca)
    assert (await ca.call("POST", "/renew", certificate=first))[0] == 409


async def test_issuer_asks_for_approval_as_a_profile_does(ca):
    await ca.app.seed()
    await ca.add_jwk()
    await people(ca, "alice")
    issuer = (await ca.issuers.intermediates())[0]
    await ask(ca, guarded=f"issuer:{issuer.name}")
    assert (await sign(ca, csr(WEB, (WEB,))))[0] == 409
    assert (await the_request(ca)).objects == (f"issuer:{issuer.id}",)


async def test_last_certificate_of_the_same_names_is_compared(ca):
    await ca.app.seed()
    await ca.add_jwk()
    await people(ca, "alice")
    first = leaf_of((await sign(ca, csr(WEB, (WEB,))))[1])
    await ask(ca)
    await sign(ca, csr(WEB, (WEB,), private=key("other")), notAfter="2h")
    content = (await the_request(ca)).content
    assert int(content["previous"], 16) == first.serial_number
    assert {what for what, _, _ in content["differences"]} == {"public key", "lifetime"}


async def test_record_tells_of_request_approval_and_release(guarded):
    request = csr(WEB, (WEB,))
    await sign(guarded, request)
    held = await the_request(guarded)
    await guarded.app.parts.approvals.approve(held.id, "known service", actor=guarded.alice)
    await sign(guarded, request)
    found = await Audit.newest(guarded.db, target=f"approval:{held.id}")
    assert [each.event for each in reversed(found)] == ["approval.requested", "approval.approved", "approval.released"]
    assert json.loads(found[1].details)["comment"] == "known service"
    assert json.loads(found[0].details)["result"] == held.content["serial"]


async def test_server_gets_its_own_certificate_without_approval(ca, tmp_path):
    from sealwright.ca import issue_server_certificate

    await ca.app.seed()
    await people(ca, "alice")
    issuer = (await ca.issuers.intermediates())[0]
    await ask(ca, guarded=f"issuer:{issuer.name}")
    made = await issue_server_certificate(ca.issuance, ["ca.example.org"])
    assert x509.load_pem_x509_certificates(made.chain_pem.encode())
