"""Revoking: who may revoke which certificate, and what is recorded."""

import asyncio

import pytest
from cryptography import x509

from sealwright.access import SYSTEM, Actor, Permission, Permissions
from sealwright.audit import Audit, Event
from sealwright.ca import CertificateState, store
from sealwright.ca.errors import AlreadyRevoked, CertificateUnknown
from sealwright.errors import NotPermitted
from tests.authorities import ALICE, csr, der_of

WEB = "web.example.org"


async def machine(ca, name="admin"):
    await ca.add_jwk(name)
    token = ca.jwk_token(WEB, signer=f"jwk {name}", issuer=name)
    _, answer = await ca.call("POST", "/sign", {"csr": csr(), "ott": token})
    return der_of(answer)


def serial_of(certificate):
    return x509.load_der_x509_certificate(certificate).serial_number


def revoke_token(ca, serial, **claims):
    return ca.jwk_token(str(serial), path="/1.0/revoke", **claims)


async def revoke(ca, serial, token=None, *, certificate=None, path="/revoke", **members):
    body = {"serial": str(serial), "ott": token, "passive": True, **members}
    return await ca.call("POST", path, body, certificate=certificate)


async def row(ca, serial):
    return await store.by_serial(ca.db, serial.to_bytes(20))


@pytest.mark.parametrize("path", ["/revoke", "/1.0/revoke"])
async def test_token_of_its_provisioner_revokes_a_certificate(ca, path):
    serial = serial_of(await machine(ca))
    token = revoke_token(ca, serial)
    assert await revoke(ca, serial, token, path=path, reasonCode=1, reason="stolen") == (200, {"status": "ok"})
    record = await row(ca, serial)
    assert (record.revoked_at, record.revocation_reason) == (ca.clock.now(), 1)
    event = (await Audit.newest(ca.db, target=f"certificate:{record.serial.hex()}"))[0]
    assert (event.event, event.actor_name) == (Event.CERTIFICATE_REVOKED, "admin")
    assert "stolen" in event.details


@pytest.mark.parametrize("form", [str, hex, oct, bin, lambda serial: f"0X{serial:X}"])
async def test_serial_is_understood_in_every_base(ca, form):
    serial = serial_of(await machine(ca))
    assert (await revoke(ca, form(serial), revoke_token(ca, serial)))[0] == 200


@pytest.mark.parametrize("serial", ["", None, "x", "-1", "0x", "1.5", "1" * 50, "0x" + "f" * 41])
async def test_something_else_is_no_serial(ca, serial):
    await machine(ca)
    status, _ = await ca.call("POST", "/revoke", {"serial": serial, "ott": revoke_token(ca, 1), "passive": True})
    assert status == 400


@pytest.mark.parametrize(
    ("code", "status"), [(0, 200), (6, 200), (10, 200), (None, 200), (7, 400), (11, 400), (-1, 400), ("1", 400)]
)
async def test_reason_is_one_of_the_standard(ca, code, status):
    serial = serial_of(await machine(ca))
    assert (await revoke(ca, serial, revoke_token(ca, serial), reasonCode=code))[0] == status


async def test_token_is_for_one_serial_and_one_use(ca):
    serial = serial_of(await machine(ca))
    assert (await revoke(ca, serial, revoke_token(ca, serial + 1)))[0] == 403
    assert (await revoke(ca, serial, revoke_token(ca, hex(serial))))[0] == 403
    token = revoke_token(ca, serial)
    assert (await revoke(ca, serial, token))[0] == 200
    status, answer = await revoke(ca, serial, token)
    assert (status, "used before" in answer["message"]) == (401, True)
    status, answer = await revoke(ca, serial, revoke_token(ca, serial))
    assert (status, "was revoked before" in answer["message"]) == (400, True)


async def test_token_for_signing_does_not_revoke_nor_the_other_way_round(ca):
    serial = serial_of(await machine(ca))
    assert (await revoke(ca, serial, ca.jwk_token(str(serial))))[0] == 401
    assert (await ca.call("POST", "/sign", {"csr": csr(), "ott": revoke_token(ca, serial)}))[0] == 401
    assert (await row(ca, serial)).revoked_at is None


async def test_provisioner_revokes_only_its_own(ca):
    serial = serial_of(await machine(ca))
    await ca.add_jwk("second")
    status, answer = await revoke(ca, serial, revoke_token(ca, serial, signer="jwk second", issuer="second"))
    assert (status, "did not vouch" in answer["message"]) == (403, True)
    assert (await row(ca, serial)).revoked_at is None


async def refused_revocations(ca):
    rows = await Audit.newest(ca.db, at_most=50)
    return [(row.outcome, row.actor_name, row.target) for row in rows if row.event == Event.CERTIFICATE_REVOKED]


async def test_refusal_of_whoever_proved_who_they_are_is_on_record(ca):
    serial = serial_of(await machine(ca))
    target = f"certificate:{serial.to_bytes(20).hex()}"
    await ca.add_jwk("second")
    assert (await revoke(ca, serial, revoke_token(ca, serial, signer="jwk second", issuer="second")))[0] == 403
    assert await refused_revocations(ca) == [("refused", "second", target)]
    other = await machine(ca, "third")
    assert (await revoke(ca, serial, certificate=other))[0] == 403
    assert await refused_revocations(ca) == [("refused", WEB, target), ("refused", "second", target)]


async def test_refusal_of_someone_unknown_is_not_on_record(ca):
    serial = serial_of(await machine(ca))
    assert (await revoke(ca, serial, revoke_token(ca, serial, signer="jwk second")))[0] == 401
    assert await refused_revocations(ca) == []


async def test_unknown_serial_is_404(ca):
    serial = serial_of(await machine(ca)) + 1
    status, answer = await revoke(ca, serial, revoke_token(ca, serial))
    assert (status, f"{serial:040x}" in answer["message"]) == (404, True)


@pytest.mark.parametrize("admins", [[], ["alice@example.org"]])
async def test_id_token_does_not_revoke(ca, admins):
    ca.add_local_provider()
    await ca.add_oidc(admins=admins)
    serial = serial_of(await machine(ca))
    status, answer = await revoke(ca, serial, ca.id_token())
    assert (status, "cannot revoke with an ID token" in answer["message"]) == (403, True)
    assert (await revoke(ca, serial, ca.id_token(signer="evil provider")))[0] == 401
    assert (await row(ca, serial)).revoked_at is None


async def test_certificate_revokes_itself_and_no_other(ca):
    first, second = await machine(ca), await machine(ca, "second")
    status, answer = await revoke(ca, serial_of(second), certificate=first)
    assert (status, "was made with the certificate" in answer["message"]) == (403, True)
    assert (await revoke(ca, serial_of(first), certificate=first))[0] == 200
    assert (await revoke(ca, serial_of(first), certificate=first))[0] == 400
    assert (await row(ca, serial_of(second))).revoked_at is None


async def test_revocation_with_the_certificate_is_recorded_under_the_name_that_it_was_issued_to(ca):
    ca.add_local_provider()
    await ca.add_oidc()
    _, answer = await ca.call("POST", "/sign", {"csr": csr(), "ott": ca.id_token()})
    certificate = der_of(answer)
    serial = serial_of(certificate)
    assert (await revoke(ca, serial, certificate=certificate))[0] == 200
    events = await Audit.newest(ca.db, target=f"certificate:{serial.to_bytes(20).hex()}")
    assert {event.event for event in events} >= {Event.CERTIFICATE_ISSUED, Event.CERTIFICATE_REVOKED}
    assert {event.actor_name for event in events} == {"alice@example.org"}


async def test_foreign_certificate_revokes_nothing(ca):
    serial = serial_of(await machine(ca))
    issuer = await ca.issuers.active()
    assert (await revoke(ca, serial, certificate=issuer.certificate_der))[0] == 401


async def test_nothing_shown_is_400_and_active_revocation_is_not_offered(ca):
    serial = serial_of(await machine(ca))
    assert (await revoke(ca, serial))[0] == 400
    assert (await revoke(ca, serial, revoke_token(ca, serial), passive=False))[0] == 501
    assert (await row(ca, serial)).revoked_at is None


async def test_person_revokes_their_own_and_administrators_any(ca):
    ca.add_local_provider()
    await ca.add_oidc()
    serials = []
    for _ in range(2):
        _, answer = await ca.call("POST", "/sign", {"csr": csr(), "ott": ca.id_token()})
        serials.append(serial_of(der_of(answer)).to_bytes(20))
    bob = Actor("person", "bob", "bob")
    with pytest.raises(NotPermitted):
        await ca.revocation.by_actor(serials[0], bob, code=0, reason="")
    alice = Actor("person", ALICE, "alice")
    assert (await ca.revocation.by_actor(serials[0], alice, code=1, reason="lost")).revocation_reason == 1
    administrator = Actor("person", "bob", "bob", Permissions(frozenset({Permission.CERTIFICATE_REVOKE})))
    assert (await ca.revocation.by_actor(serials[1], administrator, code=0, reason="")).revoked_at == ca.clock.now()
    with pytest.raises(AlreadyRevoked):
        await ca.revocation.by_actor(serials[1], administrator, code=0, reason="")


async def test_machine_certificate_belongs_to_no_one_who_is_signed_in(ca):
    serial = serial_of(await machine(ca)).to_bytes(20)
    with pytest.raises(NotPermitted):
        await ca.revocation.by_actor(serial, Actor("nobody", "", ""), code=0, reason="")
    with pytest.raises(CertificateUnknown):
        await ca.revocation.by_actor(b"\x01" * 20, SYSTEM, code=0, reason="")


async def test_certificate_that_was_perhaps_signed_can_be_revoked(ca):
    class Stop(BaseException):
        pass

    def stop(point):
        if point == "after_sign":
            raise Stop

    await ca.add_jwk()
    ca.crash_points.append(stop)
    with pytest.raises(Stop):
        await ca.signing.sign(ca.jwk_token(WEB), csr())
    (serial,) = await ca.recovery.close_intents()
    record = await ca.revocation.by_actor(serial, SYSTEM, code=0, reason="")
    assert (record.state, record.revoked_at) == (CertificateState.MAYBE_SIGNED, ca.clock.now())


async def test_revoked_once_under_concurrency(ca):
    serial = serial_of(await machine(ca))
    answers = await asyncio.gather(*(revoke(ca, serial, revoke_token(ca, serial)) for _ in range(10)))
    assert sorted(status for status, _ in answers) == [200] + [400] * 9
    target = f"certificate:{serial.to_bytes(20).hex()}"
    events = [(event.event, event.outcome) for event in await Audit.newest(ca.db, target=target)]
    assert events.count((Event.CERTIFICATE_REVOKED, "done")) == 1
