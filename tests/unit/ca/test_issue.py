"""Issuing: in which order things happen, what is recorded, and what a refusal leaves behind."""

import asyncio
import hashlib
import json
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from msgspec.structs import replace as changed

from sealwright.audit import Audit, Event, Outcome
from sealwright.ca import HolderStatus, issue_server_certificate, store
from sealwright.ca.errors import AlreadySigned
from sealwright.ca.records import CertificateState
from tests.audits import checkpoints_of
from tests.authorities import (
    ALICE,
    ISSUER_URL,
    READER,
    authority,
    csr,
    der_of,
    key,
    leaf_of,
    names_in,
    sign_with,
)

POINTS = ["before_intent", "after_intent", "after_sign", "before_store", "after_store", "before_answer"]
WEB = "web.example.org"


async def everything(ca):
    return list(await store.newest(ca.db, older_than=store.NO_SERIAL_IS_GREATER, at_most=1000))


async def events(ca):
    found = [(event.event, event.outcome) for event in await Audit.newest(ca.db, at_most=1000)]
    return [(event, outcome) for event, outcome in reversed(found) if event.startswith("certificate.")]


async def sign(ca, token, request=None, **members):
    return await ca.call("POST", "/sign", {"csr": request or csr(), "ott": token, **members})


async def test_issued_certificate_is_stored_as_it_was_answered(ca):
    ca.add_local_provider()
    await ca.add_oidc()
    status, answer = await sign(ca, ca.id_token())
    assert status == 201
    (record,) = await everything(ca)
    assert record.der == der_of(answer)
    assert record.state is CertificateState.ISSUED
    assert (record.provisioner_id, record.account_id, record.session_id) == ("step-ca", ALICE, "session-1")
    assert [str(name) for name in record.names] == names_in(leaf_of(answer))
    assert record.tbs_digest == hashlib.sha256(leaf_of(answer).tbs_certificate_bytes).digest()
    assert int.from_bytes(record.serial) == leaf_of(answer).serial_number


async def test_audit_tells_who_what_and_why_but_no_token(ca):
    ca.add_local_provider()
    await ca.add_oidc()
    token = ca.id_token()
    await sign(ca, token)
    (record,) = await everything(ca)
    found = await Audit.newest(ca.db, target=f"certificate:{record.serial.hex()}")
    assert [event.event for event in found] == [Event.CERTIFICATE_ISSUED, Event.CERTIFICATE_INTENDED]
    assert {(event.actor_kind, event.actor_id, event.actor_name) for event in found} == {("person", ALICE, "alice@example.org")}
    details = json.loads(found[1].details)
    assert details["provisioner"] == "kanidm"
    assert details["names"] == ["email:alice@example.org", f"uri:{ISSUER_URL}#{ALICE}"]
    assert details["to_be_signed_sha256"] == record.tbs_digest.hex()
    assert len(details["reasons"]) == 3
    assert json.loads(found[0].details) == {"sha256": hashlib.sha256(record.der).hexdigest()}
    everything_written = "".join(event.details for event in await Audit.newest(ca.db, at_most=1000))
    assert not any(part in everything_written for part in token.split("."))


async def test_points_are_passed_in_order_and_the_intent_is_durable_before_the_signature(ca):
    passed: list[str] = []
    ca.crash_points.append(passed.append)
    await ca.add_jwk()
    assert (await sign(ca, ca.jwk_token(WEB)))[0] == 201
    assert passed == POINTS
    assert await events(ca) == [("certificate.intended", "done"), ("certificate.issued", "done")]


class Stop(BaseException):
    """The process ends here."""


@pytest.mark.parametrize(
    ("point", "state"),
    [
        ("before_intent", None),
        ("after_intent", CertificateState.MAYBE_SIGNED),
        ("after_sign", CertificateState.MAYBE_SIGNED),
        ("before_store", CertificateState.MAYBE_SIGNED),
        ("after_store", CertificateState.ISSUED),
        ("before_answer", CertificateState.ISSUED),
    ],
)
async def test_recovery_closes_what_a_stopped_process_left_open(ca, point, state):
    def stop(reached):
        if reached == point:
            raise Stop

    await ca.add_jwk()
    token = ca.jwk_token(WEB)
    ca.crash_points.append(stop)
    with pytest.raises(Stop):
        await ca.signing.sign(token, csr())
    ca.crash_points.remove(stop)
    closed = await ca.recovery.close_intents()
    found = await everything(ca)
    assert [record.state for record in found] == ([] if state is None else [state])
    assert closed == [record.serial for record in found if record.state is CertificateState.MAYBE_SIGNED]
    unresolved = [event for event, _ in await events(ca) if event == Event.CERTIFICATE_UNRESOLVED]
    assert len(unresolved) == len(closed)
    assert await ca.recovery.close_intents() == []
    assert (await sign(ca, token))[0] == (201 if state is None else 401)


async def test_recovery_leaves_fresh_intents_alone_when_told_to(ca):
    def stop(reached):
        if reached == "after_intent":
            raise Stop

    await ca.add_jwk()
    ca.crash_points.append(stop)
    with pytest.raises(Stop):
        await ca.signing.sign(ca.jwk_token(WEB), csr())
    assert await ca.recovery.close_intents(older_than=timedelta(minutes=1)) == []
    ca.clock.advance(timedelta(minutes=1))
    assert len(await ca.recovery.close_intents(older_than=timedelta(minutes=1))) == 1


async def test_slow_issuance_settles_an_intent_that_was_closed_meanwhile(ca):
    async def slow(account_id):
        if await ca.recovery.close_intents():
            closed.append(account_id)

    closed: list[str] = []
    ca.add_local_provider()
    await ca.add_oidc()
    ca.when_status_is_asked.append(slow)
    assert (await sign(ca, ca.id_token()))[0] == 201
    assert closed == [ALICE]
    assert [record.state for record in await everything(ca)] == [CertificateState.ISSUED]


async def test_certificate_that_cannot_be_recorded_goes_to_no_one(ca):
    async def fail(account_id):
        for record in await everything(ca):
            await ca.db.write(partial(store.record_failed, serial=record.serial))

    ca.add_local_provider()
    await ca.add_oidc()
    ca.when_status_is_asked.append(fail)
    status, answer = await sign(ca, ca.id_token())
    assert (status, "crt" in answer) == (503, False)
    assert [(record.state, record.der) for record in await everything(ca)] == [(CertificateState.FAILED, None)]


async def test_wrong_signature_is_found_before_release(ca):
    await ca.add_jwk()
    await sign_with(ca, lambda real, data, algorithm: key("another").sign(data, algorithm))
    status, answer = await sign(ca, ca.jwk_token(WEB))
    assert (status, "not the issuer's" in answer["message"]) == (503, True)
    assert [(record.state, record.der) for record in await everything(ca)] == [(CertificateState.FAILED, None)]
    assert await events(ca) == [("certificate.intended", "done"), ("certificate.failed", "failed")]


async def test_key_that_does_not_answer_leaves_a_failed_row(ca):
    def unplugged(real, data, algorithm):
        raise OSError("token removed")

    await ca.add_jwk()
    await sign_with(ca, unplugged)
    status, answer = await sign(ca, ca.jwk_token(WEB))
    assert status == 500
    assert answer["message"].endswith("request id request-1.")
    assert [record.state for record in await everything(ca)] == [CertificateState.FAILED]


async def test_serial_that_exists_is_never_signed(ca):
    class Repeating:
        """Gives the same serial number for the first few requests."""

        def __init__(self, source, repeats):
            self.source, self.left, self.first = source, repeats, None

        def bytes(self, length):
            if self.left and self.first is not None:
                self.left -= 1
                return self.first
            found = self.source.bytes(length)
            self.first = self.first or found
            return found

    await ca.add_jwk()
    ca.issuance._preparation._entropy = Repeating(ca.issuance._preparation._entropy, 2)
    assert (await sign(ca, ca.jwk_token(WEB)))[0] == 201
    token = ca.jwk_token(WEB)
    assert (await sign(ca, token))[0] == 201
    assert len({record.serial for record in await everything(ca)}) == 2
    ca.issuance._preparation._entropy.left = 100
    status, _ = await sign(ca, ca.jwk_token(WEB))
    assert status == 409
    assert len(await everything(ca)) == 2


async def test_prepared_certificate_is_signed_once_and_by_its_issuer(ca):
    await ca.add_jwk()
    kept = []
    prepare = ca.issuance._preparation.prepare

    def keep(*given):
        kept.append(prepare(*given))
        return kept[-1]

    ca.issuance._preparation.prepare = keep
    await sign(ca, ca.jwk_token(WEB))
    issuer = await ca.issuers.active()
    with pytest.raises(AlreadySigned):
        kept[0].redeem(issuer)
    fresh = prepare(issuer, (await ca.profiles.named(kept[0].profile)).profile, kept[0].contents, ca.clock.now())
    with pytest.raises(AlreadySigned):
        fresh.redeem(replace(issuer, id="another"))


async def test_refusal_is_recorded_and_leaves_nothing_else(ca):
    ca.add_local_provider()
    await ca.add_oidc(groups=["users"])
    assert (await sign(ca, ca.id_token()))[0] == 403
    assert (await sign(ca, ca.id_token(groups=["users"]), csr("bob@example.org", ("bob@example.org",))))[0] == 403
    assert (await sign(ca, ca.id_token(groups=["users"]), notAfter="9000h"))[0] == 403
    assert (await sign(ca, ca.id_token(groups=["users"]), "rubbish"))[0] == 400
    assert await everything(ca) == []
    assert await events(ca) == [("certificate.refused", "refused")] * 4
    refused = await Audit.newest(ca.db, target="provisioner:step-ca")
    assert {event.actor_id for event in refused if event.event == Event.CERTIFICATE_REFUSED} == {ALICE}
    assert "bob@example.org" in refused[2].details
    assert refused[0].outcome == Outcome.REFUSED


async def test_token_that_proves_nothing_leaves_no_trace_in_the_audit_record(ca):
    await ca.add_jwk()
    assert (await sign(ca, ca.jwk_token(WEB, signer="another key")))[0] == 401
    assert await events(ca) == []


async def test_disabled_person_gets_nothing(ca):
    ca.add_local_provider()
    await ca.add_oidc()
    ca.holder_statuses[ALICE] = HolderStatus(active=False, reason="The account is disabled.")
    status, answer = await sign(ca, ca.id_token())
    assert (status, "The account is disabled." in answer["message"]) == (403, True)
    assert await everything(ca) == []


async def test_person_disabled_after_the_intent_gets_nothing(ca):
    def disable(point):
        if point == "after_intent":
            ca.holder_statuses[ALICE] = HolderStatus(active=False, reason="The account is disabled.")

    ca.add_local_provider()
    await ca.add_oidc()
    ca.crash_points.append(disable)
    status, _ = await sign(ca, ca.id_token())
    assert status == 403
    assert [record.state for record in await everything(ca)] == [CertificateState.FAILED]
    assert await events(ca) == [("certificate.intended", "done"), ("certificate.failed", "failed")]


def _sign_out(ca):
    ca.token_statuses["family-1"] = HolderStatus(active=False, reason="the sign-in has ended")


def _take_the_mail_away(ca):
    ca.people[ALICE] = changed(ca.people[ALICE], mails=())


def _delete_the_person(ca):
    del ca.people[ALICE]


@pytest.mark.parametrize("change", [_sign_out, _take_the_mail_away, _delete_the_person])
@pytest.mark.parametrize("point", ["before", "after_intent"])
async def test_token_is_worth_what_the_person_has_before_the_intent_and_after_it(ca, change, point):
    ca.add_local_provider()
    await ca.add_oidc()
    token = ca.id_token()
    if point == "before":
        change(ca)
    else:
        ca.crash_points.append(lambda reached: change(ca) if reached == point else None)
    status, answer = await sign(ca, token)
    assert (status, "crt" in answer) == (403, False)
    assert [record.state for record in await everything(ca)] == ([] if point == "before" else [CertificateState.FAILED])


async def test_standing_of_foreign_people_is_not_asked(ca):
    async def unexpected(account_id):
        raise AssertionError(account_id)

    from tests.authorities import signing_key

    await ca.add_oidc()
    ca.outbound.add_provider(ISSUER_URL, signing_key("provider"))
    ca.when_status_is_asked.append(unexpected)
    assert (await sign(ca, ca.id_token()))[0] == 201
    (record,) = await everything(ca)
    assert record.account_id is None


async def test_one_token_twenty_times_at_once_is_one_certificate(ca):
    await ca.add_jwk()
    token, request = ca.jwk_token(WEB), csr()
    answers = await asyncio.gather(*(sign(ca, token, request) for _ in range(20)))
    assert sorted(status for status, _ in answers) == [201] + [401] * 19
    assert len(await everything(ca)) == 1


async def test_many_tokens_at_once_are_as_many_certificates(ca):
    await ca.add_jwk()
    tokens, request = [ca.jwk_token(WEB) for _ in range(30)], csr()
    answers = await asyncio.gather(*(sign(ca, token, request) for token in tokens))
    assert [status for status, _ in answers] == [201] * 30
    found = await everything(ca)
    assert len({record.serial for record in found}) == 30
    assert {record.der for record in found} == {der_of(answer) for _, answer in answers}
    assert sum(head.sequence for head in (await checkpoints_of(ca.db, ca.audit).verify()).values()) >= 60


@pytest.mark.parametrize(
    ("claims", "members", "hours", "status"),
    [
        ({}, {}, 24, 201),
        ({"defaultTLSCertDuration": "2h"}, {}, 2, 201),
        ({"defaultTLSCertDuration": "2h", "maxTLSCertDuration": "8h"}, {"notAfter": "8h"}, 8, 201),
        ({"defaultTLSCertDuration": "2h", "maxTLSCertDuration": "8h"}, {"notAfter": "8h1m1s"}, 0, 403),
        ({"minTLSCertDuration": "1h"}, {"notAfter": "58m"}, 0, 403),
        ({}, {"notAfter": "-1h"}, 0, 403),
        ({}, {"notBefore": "1h", "notAfter": "2h"}, 2, 201),
        ({}, {"notBefore": "", "notAfter": None}, 24, 201),
        ({}, {"notAfter": "tomorrow"}, 0, 400),
        ({}, {"notAfter": "2026-02-30T00:00:00Z"}, 0, 400),
    ],
)
async def test_lifetime_follows_the_claims_of_the_provisioner(ca, claims, members, hours, status):
    await ca.add_jwk(claims=claims)
    found, answer = await sign(ca, ca.jwk_token(WEB), **members)
    assert found == status, answer
    if status == 201:
        leaf = leaf_of(answer)
        (record,) = await everything(ca)
        start = ca.clock.now() + (3_600_000 if members.get("notBefore") else 0)
        assert record.not_after - start == hours * 3_600_000
        assert leaf.not_valid_after_utc.timestamp() * 1000 == record.not_after


async def test_own_certificate_of_the_server_goes_the_same_way(ca):
    made = await issue_server_certificate(ca.issuance, ["ca.example.org", "192.0.2.7", "::1"])
    leaf, issuing = x509.load_pem_x509_certificates(made.chain_pem.encode())
    leaf.verify_directly_issued_by(issuing)
    assert names_in(leaf) == ["ca.example.org", "192.0.2.7", "::1"]
    assert leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value._usages == [x509.OID_SERVER_AUTH]
    assert made.not_after - ca.clock.now() == 24 * 3_600_000
    (record,) = await everything(ca)
    assert (record.der, record.provisioner_id, record.profile) == (
        leaf.public_bytes(Encoding.DER),
        None,
        "server",
    )
    assert b"PRIVATE KEY" in made.key_pem
    assert "PRIVATE" not in repr(made)
    assert (await ca.call("POST", "/renew", certificate=record.der))[0] == 401


async def test_inventory_lists_newest_first_in_pages_and_shows_the_line_of_renewals(ca):
    ca.add_local_provider()
    await ca.add_oidc()
    _, answer = await sign(ca, ca.id_token())
    for _ in range(4):
        ca.clock.advance(timedelta(seconds=2))
        _, answer = await ca.call("POST", "/renew", certificate=der_of(answer))
    page = await ca.inventory.page(READER, at_most=3)
    rest = await ca.inventory.page(READER, at_most=3, cursor=page.next_cursor)
    listed = [*page.certificates, *rest.certificates]
    assert [len(page.certificates), len(rest.certificates), rest.next_cursor] == [3, 2, ""]
    assert [record.serial for record in listed] == sorted((record.serial for record in listed), reverse=True)
    story = await ca.inventory.show(READER, listed[1].serial)
    assert [record.serial for record in story.came_from] == [record.serial for record in reversed(listed[2:])]
    assert [record.serial for record in story.followed_by] == [listed[0].serial]
    assert (story.vouched_by.name, story.vouched_by.credential_id) == ("kanidm", "step-ca")


async def test_authority_opens_again_on_the_same_database(tmp_path):
    async with authority(tmp_path) as ca:
        await ca.add_jwk()
        _, answer = await sign(ca, ca.jwk_token(WEB))
        async with authority(tmp_path, db=ca.db) as again:
            status, renewed = await again.call("POST", "/renew", certificate=der_of(answer))
            assert status == 201
            assert renewed["ca"] == answer["ca"]
