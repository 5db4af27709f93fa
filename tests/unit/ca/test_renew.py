"""Renewing and rekeying: which certificate may be followed by another, and what the other looks like."""

import base64
from datetime import timedelta

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from msgspec.structs import replace
from sqlalchemy import bindparam, update

from sealwright.access import SYSTEM
from sealwright.audit import Audit
from sealwright.ca import HolderStatus, Person, store
from sealwright.clock import to_datetime, to_seconds
from sealwright.db import Statement
from sealwright.db.schema import certificates
from tests.authorities import ALICE, CA_URL, ISSUER_URL, an_hour, csr, der_of, key, leaf_of, names_in, signing_key

WEB = "web.example.org"
SPKI = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


async def machine(ca, kind="EC", **claims):
    """A certificate of a JWK provisioner: its key, and the certificate."""
    await ca.add_jwk(claims=claims)
    holder = key(f"machine {kind}", kind)
    _, answer = await ca.call("POST", "/sign", {"csr": csr(private=holder), "ott": ca.jwk_token(WEB)})
    return holder, der_of(answer)


async def person(ca, **members):
    """A certificate of Alice."""
    ca.add_local_provider()
    await ca.add_oidc(**members)
    _, answer = await ca.call("POST", "/sign", {"csr": csr(), "ott": ca.id_token()})
    return der_of(answer)


async def newest(ca):
    return (await store.newest(ca.db, older_than=store.NO_SERIAL_IS_GREATER, at_most=1))[0]


def parts(certificate):
    """Everything that a renewal keeps."""
    leaf = x509.load_der_x509_certificate(certificate)
    kept = {extension.oid.dotted_string: (extension.critical, extension.value) for extension in leaf.extensions}
    return leaf.subject, leaf.public_key().public_bytes(*SPKI), kept, leaf.not_valid_after_utc - leaf.not_valid_before_utc


async def test_renewal_keeps_everything_but_serial_and_time(ca):
    old = await person(ca)
    ca.clock.advance(an_hour(3))
    status, answer = await ca.call("POST", "/renew", certificate=old)
    assert status == 201, answer
    assert parts(der_of(answer)) == parts(old)
    leaf = leaf_of(answer)
    assert leaf.serial_number != x509.load_der_x509_certificate(old).serial_number
    assert leaf.not_valid_before_utc == to_datetime(ca.clock.now()) - timedelta(seconds=59)
    record = await newest(ca)
    assert record.renewed_from == x509.load_der_x509_certificate(old).serial_number.to_bytes(20)
    assert (record.account_id, record.session_id) == (ALICE, "session-1")
    (intended,) = [
        event
        for event in await Audit.newest(ca.db, target=f"certificate:{record.serial.hex()}")
        if event.event == "certificate.intended"
    ]
    assert intended.actor_id == ALICE
    assert record.renewed_from.hex() in intended.details


@pytest.mark.parametrize("path", ["/renew", "/1.0/renew", "/re-sign", "/1.0/re-sign"])
async def test_every_spelling_of_the_path_renews(ca, path):
    _, old = await machine(ca)
    assert (await ca.call("POST", path, certificate=old))[0] == 201


async def test_rekey_keeps_everything_but_the_key(ca):
    old = await person(ca)
    new_key = key("new", "Ed25519")
    status, answer = await ca.call("POST", "/rekey", {"csr": csr(private=new_key)}, certificate=old)
    assert status == 201, answer
    assert leaf_of(answer).public_key().public_bytes(*SPKI) == new_key.public_key().public_bytes(*SPKI)
    assert names_in(leaf_of(answer)) == names_in(x509.load_der_x509_certificate(old))
    assert leaf_of(answer).subject == x509.load_der_x509_certificate(old).subject


async def test_names_in_a_rekey_request_do_not_count(ca):
    _, old = await machine(ca)
    request = csr("evil.example.org", ("evil.example.org",), private=key("new"))
    status, answer = await ca.call("POST", "/rekey", {"csr": request}, certificate=old)
    assert (status, names_in(leaf_of(answer))) == (201, [WEB])


@pytest.mark.parametrize("request_text", ["", None, "rubbish", "tampered"])
async def test_rekey_needs_a_sound_request(ca, request_text):
    _, old = await machine(ca)
    text = request_text
    if text == "tampered":
        der = bytearray(x509.load_pem_x509_csr(csr(private=key("new")).encode()).public_bytes(Encoding.DER))
        der[-1] ^= 1
        text = "-----BEGIN CERTIFICATE REQUEST-----\n" + base64.b64encode(der).decode() + "\n-----END CERTIFICATE REQUEST-----"
    assert (await ca.call("POST", "/rekey", {"csr": text}, certificate=old))[0] == 400


async def test_rekey_is_not_done_with_a_token(ca):
    holder, old = await machine(ca)
    token = ca.renew_token(old, holder, path="/rekey")
    assert (await ca.call("POST", "/rekey", {"csr": csr()}, bearer=token))[0] == 400


async def test_nothing_shown_is_400(ca):
    assert (await ca.call("POST", "/renew"))[0] == 400


@pytest.mark.parametrize("kind", ["EC", "RSA", "Ed25519"])
@pytest.mark.parametrize("path", ["/renew", "/1.0/renew"])
async def test_token_renews_once(ca, kind, path):
    holder, old = await machine(ca, kind)
    token = ca.renew_token(old, holder, path=path)
    status, answer = await ca.call("POST", "/renew", bearer=token)
    assert status == 201, answer
    assert parts(der_of(answer)) == parts(old)
    status, answer = await ca.call("POST", "/renew", bearer=token)
    assert (status, "used before" in answer["message"]) == (401, True)


async def test_token_may_name_the_provisioner_as_issuer(ca):
    holder, old = await machine(ca)
    assert (await ca.call("POST", "/renew", bearer=ca.renew_token(old, holder, iss="admin")))[0] == 201


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "someone"},
        {"sub": "other.example.org"},
        {"aud": f"{CA_URL}/1.0/sign"},
        {"aud": "https://evil.example.org/renew"},
        {"aud": []},
        {"exp": 1},
        {"exp": None},
        {"nbf": 4_000_000_000},
    ],
)
async def test_wrong_claim_of_a_renewal_token_is_refused(ca, claims):
    holder, old = await machine(ca)
    token = ca.renew_token(old, holder)
    made = {**jwt.decode(token, options={"verify_signature": False}), **claims}
    headers = {"x5cInsecure": jwt.get_unverified_header(token)["x5cInsecure"]}
    forged = jwt.encode({name: value for name, value in made.items() if value is not None}, holder, "ES256", headers)
    status, answer = await ca.call("POST", "/renew", bearer=forged)
    assert status == 401, answer


async def test_renewal_token_must_be_signed_with_the_key_of_its_certificate(ca):
    _, old = await machine(ca)
    status, answer = await ca.call("POST", "/renew", bearer=ca.renew_token(old, key("thief")))
    assert (status, answer["message"]) == (401, "The token's signature is wrong.")


@pytest.mark.parametrize("chain", [None, [], "x", [5], ["%%%"], ["AAAA"], ["x"] * 11])
async def test_renewal_token_must_carry_a_certificate(ca, chain):
    await ca.add_jwk()
    now = to_seconds(ca.clock.now())
    token = jwt.encode({"exp": now + 60}, key(), "ES256", {} if chain is None else {"x5cInsecure": chain})
    assert (await ca.call("POST", "/renew", bearer=token))[0] == 401


async def test_provisioner_token_does_not_renew(ca):
    await ca.add_jwk()
    assert (await ca.call("POST", "/renew", bearer=ca.jwk_token(WEB, path="/1.0/renew")))[0] == 401
    assert (await ca.call("POST", "/renew", bearer="rubbish"))[0] == 401


@pytest.mark.parametrize(
    ("claims", "hours", "status"),
    [
        ({}, 23, 201),
        ({}, 25, 401),
        ({"allowRenewalAfterExpiry": True}, 25, 201),
        ({"allowRenewalAfterExpiry": True}, 24 * 400, 201),
        ({"disableRenewal": True}, 1, 401),
        ({"disableRenewal": True, "allowRenewalAfterExpiry": True}, 25, 401),
    ],
)
async def test_claims_say_whether_and_until_when_renewal_is_possible(ca, claims, hours, status):
    holder, old = await machine(ca, **claims)
    ca.clock.advance(an_hour(hours))
    found, answer = await ca.call("POST", "/renew", bearer=ca.renew_token(old, holder))
    assert found == status, answer
    found, answer = await ca.call("POST", "/renew", certificate=old)
    assert found == status, answer


async def test_last_second_of_a_certificate_counts(ca):
    _, old = await machine(ca)
    end = x509.load_der_x509_certificate(old).not_valid_after_utc
    ca.clock.advance(end - to_datetime(ca.clock.now()) + timedelta(milliseconds=999))
    assert (await ca.call("POST", "/renew", certificate=old))[0] == 201
    ca.clock.advance(timedelta(milliseconds=1))
    assert (await ca.call("POST", "/renew", certificate=old))[0] == 401


async def test_certificate_that_is_not_valid_yet_does_not_renew(ca):
    await ca.add_jwk()
    body = {"csr": csr(), "ott": ca.jwk_token(WEB), "notBefore": "1h", "notAfter": "2h"}
    _, answer = await ca.call("POST", "/sign", body)
    assert (await ca.call("POST", "/renew", certificate=der_of(answer)))[0] == 401


async def test_lifetime_is_cut_to_what_the_provisioner_allows_now(ca):
    _, old = await machine(ca)
    definition = (await ca.provisioners.named("admin")).definition
    await ca.provisioners.remove("admin", SYSTEM)
    claims = {"maxTLSCertDuration": "8h", "defaultTLSCertDuration": "2h"}
    await ca.provisioners.add({"type": "JWK", "name": "admin", "key": definition.key, "claims": claims}, SYSTEM)
    status, answer = await ca.call("POST", "/renew", certificate=old)
    assert status == 201
    assert leaf_of(answer).not_valid_after_utc == to_datetime(ca.clock.now()) + an_hour(8)


async def test_certificate_of_a_removed_provisioner_does_not_renew(ca):
    _, old = await machine(ca)
    await ca.provisioners.remove("admin", SYSTEM)
    status, answer = await ca.call("POST", "/renew", certificate=old)
    assert (status, "does not exist any more" in answer["message"]) == (401, True)


async def test_revoked_certificate_does_not_renew(ca):
    holder, old = await machine(ca)
    serial = x509.load_der_x509_certificate(old).serial_number.to_bytes(20)
    await ca.revocation.by_actor(serial, SYSTEM, code=4, reason="")
    for credentials in ({"certificate": old}, {"bearer": ca.renew_token(old, holder)}):
        status, answer = await ca.call("POST", "/renew", **credentials)
        assert (status, "was revoked" in answer["message"]) == (401, True)
    assert (await ca.call("POST", "/rekey", {"csr": csr()}, certificate=old))[0] == 401


async def test_certificate_of_a_disabled_person_does_not_renew_from_that_moment(ca):
    old = await person(ca)
    assert (await ca.call("POST", "/renew", certificate=old))[0] == 201
    ca.holder_statuses[ALICE] = HolderStatus(active=False, reason="The account is disabled.")
    for method in (
        ca.call("POST", "/renew", certificate=old),
        ca.call("POST", "/renew", bearer=ca.renew_token(old, key())),
        ca.call("POST", "/rekey", {"csr": csr(private=key("new"))}, certificate=old),
    ):
        status, answer = await method
        assert (status, "The account is disabled." in answer["message"]) == (403, True)
    ca.holder_statuses[ALICE] = HolderStatus(active=True)
    assert (await ca.call("POST", "/renew", certificate=old))[0] == 201


GROUPS = {"groups": ["ops", "staff"]}
MAIL = "alice@example.org"
NOT_ANY_MORE = "is not a name that alice may have any more"


@pytest.mark.parametrize(
    ("members", "claims", "asked", "now", "why"),
    [
        ({}, {}, (), {"mails": ("new@example.org", MAIL)}, ""),
        ({}, {}, (), {"mails": ("alice@EXAMPLE.org",)}, ""),
        ({}, {}, (), {"mails": ("new@example.org",)}, f"{MAIL} {NOT_ANY_MORE}"),
        ({}, {}, (), {"mails": ()}, f"{MAIL} {NOT_ANY_MORE}"),
        ({}, {}, (), {"mails": (), "unverified_mails": (MAIL,)}, f"{MAIL} {NOT_ANY_MORE}"),
        ({"allowUnverifiedEmail": True}, {}, (), {"mails": (), "unverified_mails": (MAIL,)}, ""),
        ({"groups": ["ops"]}, GROUPS, (), {"groups": frozenset({"ops"})}, ""),
        ({"groups": ["ops"]}, GROUPS, (), {"groups": frozenset({"staff"})}, "alice is in none of the groups any more"),
        ({"admins": [MAIL]}, {}, ("web.example.org",), {}, ""),
        ({"admins": [MAIL]}, {}, ("web.example.org",), {"mails": ("new@example.org",)}, f"web.example.org {NOT_ANY_MORE}"),
        ({"admins": [MAIL]}, {}, ("web.example.org",), {"primary_mail": ""}, f"web.example.org {NOT_ANY_MORE}"),
        ({"admins": ["ops"]}, GROUPS, ("web.example.org",), {"groups": frozenset({"ops"})}, ""),
        ({"admins": ["ops"]}, GROUPS, ("web.example.org",), {}, f"web.example.org {NOT_ANY_MORE}"),
        ({"admins": ["ops"]}, GROUPS, (), {}, ""),
        ({"admins": ["ops"]}, GROUPS, (f"{ISSUER_URL}#somebody-else",), {}, f"{ISSUER_URL}#somebody-else {NOT_ANY_MORE}"),
    ],
)
async def test_certificate_renews_only_with_names_that_its_person_would_be_given_today(ca, members, claims, asked, now, why):
    ca.add_local_provider()
    await ca.add_oidc(**members)
    request = csr(asked[0] if asked and ":" not in asked[0] else "", asked)
    status, answer = await ca.call("POST", "/sign", {"csr": request, "ott": ca.id_token(**claims)})
    assert status == 201, answer
    old = der_of(answer)
    ca.people[ALICE] = replace(Person(ALICE, "alice", (MAIL,), (), MAIL, frozenset()), **now)
    for renewing in (
        ca.call("POST", "/renew", certificate=old),
        ca.call("POST", "/renew", bearer=ca.renew_token(old, key())),
        ca.call("POST", "/rekey", {"csr": csr(private=key("new"))}, certificate=old),
    ):
        status, answer = await renewing
        assert status == (403 if why else 201), answer
        assert why in answer.get("message", "")
    if why:
        newest, *_ = await Audit.newest(ca.db)
        assert (newest.event, newest.actor_id, why in newest.details) == ("certificate.refused", ALICE, True)


async def test_domain_that_a_provisioner_does_not_allow_any_more_ends_renewal(ca):
    old = await person(ca, domains=["example.org"])
    assert (await ca.call("POST", "/renew", certificate=old))[0] == 201
    await ca.provisioners.remove("kanidm", SYSTEM)
    await ca.add_oidc(domains=["example.net"])
    status, answer = await ca.call("POST", "/renew", certificate=old)
    assert (status, "in none of the domains" in answer["message"]) == (403, True)


async def test_names_of_people_of_other_providers_are_not_asked_about(ca):
    ca.outbound.add_provider(ISSUER_URL, signing_key("provider"))
    await ca.add_oidc()
    _, answer = await ca.call("POST", "/sign", {"csr": csr(), "ott": ca.id_token()})
    ca.people.clear()
    assert (await ca.call("POST", "/renew", certificate=der_of(answer)))[0] == 201


async def test_certificate_that_is_not_in_the_store_is_not_ours(ca):
    _, old = await machine(ca)
    issuer = await ca.issuers.active()
    template = x509.load_der_x509_certificate(old)
    builder = (
        x509.CertificateBuilder()
        .subject_name(template.subject)
        .issuer_name(template.issuer)
        .public_key(template.public_key())
        .serial_number(template.serial_number + 1)
        .not_valid_before(template.not_valid_before_utc)
        .not_valid_after(template.not_valid_after_utc)
    )
    for extension in template.extensions:
        builder = builder.add_extension(extension.value, extension.critical)
    stray = builder.sign(issuer.private_key, hashes.SHA256()).public_bytes(Encoding.DER)
    status, answer = await ca.call("POST", "/renew", certificate=stray)
    assert (status, "was not issued here" in answer["message"]) == (401, True)
    twin = builder._serial_number and x509.CertificateBuilder(
        template.issuer,
        template.subject,
        template.public_key(),
        template.serial_number,
        builder._not_valid_before,
        builder._not_valid_after,
        builder._extensions,
    ).sign(key("forger"), hashes.SHA256()).public_bytes(Encoding.DER)
    status, answer = await ca.call("POST", "/renew", certificate=twin)
    assert (status, "was not issued here" in answer["message"]) == (401, True)


@pytest.mark.parametrize("certificate", [b"", b"rubbish", b"\x30\x00", bytes(5000)])
async def test_unreadable_certificate_is_refused(ca, certificate):
    await ca.add_jwk()
    assert (await ca.call("POST", "/renew", certificate=certificate))[0] == 401


async def test_authority_itself_does_not_renew_over_this_wire(ca):
    issuer = await ca.issuers.active()
    assert (await ca.call("POST", "/renew", certificate=issuer.certificate_der))[0] == 401


def signed_anew(certificate, signer):
    """The same certificate with the signature of another key."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(certificate.subject)
        .issuer_name(certificate.issuer)
        .public_key(certificate.public_key())
        .serial_number(certificate.serial_number)
        .not_valid_before(certificate.not_valid_before_utc)
        .not_valid_after(certificate.not_valid_after_utc)
    )
    for extension in certificate.extensions:
        builder = builder.add_extension(extension.value, extension.critical)
    return builder.sign(signer, hashes.SHA256()).public_bytes(Encoding.DER)


async def test_stored_certificate_with_a_foreign_signature_is_refused(ca):
    """The database alone is not believed: the signature of the issuer is checked as well."""
    _, old = await machine(ca)

    forged = signed_anew(x509.load_der_x509_certificate(old), key("forger"))
    stored = Statement(update(certificates).where(certificates.c.der == bindparam("old")).values(der=bindparam("forged")))

    async def put(tx):
        return await tx.run(stored, old=old, forged=forged)

    assert await ca.db.write(put) == 1
    status, answer = await ca.call("POST", "/renew", certificate=forged)
    assert (status, "not signed by the issuer" in answer["message"]) == (401, True)
