"""Clients that prove themselves by a client certificate."""

import base64
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import update

from sealwright.access import SYSTEM
from sealwright.db import Statement
from sealwright.db.schema import certificates
from tests.flows.listeners_certificates import TestAuthority
from tests.machines_world import client_key, key_set, machines_world, refused, self_signed
from tests.oauth_world import basic, members

TLS = {"token_endpoint_auth_method": "tls_client_auth"}
SELF_SIGNED = {"token_endpoint_auth_method": "self_signed_tls_client_auth"}

NAMES = {
    "dns": ({"tls_client_auth_san_dns": "BILLING.example.org"}, ("billing.example.org",)),
    "single label": ({"tls_client_auth_san_dns": "curl"}, ("curl",)),
    "uri": ({"tls_client_auth_san_uri": "spiffe://example.org/billing"}, ("spiffe://example.org/billing",)),
    "ipv4": ({"tls_client_auth_san_ip": "192.0.2.9"}, ("192.0.2.9",)),
    "ipv6": ({"tls_client_auth_san_ip": "2001:db8:0:0:0:0:0:9"}, ("2001:db8::9",)),
    "mail": ({"tls_client_auth_san_email": "billing@EXAMPLE.org"}, ("billing@example.org",)),
    "subject": ({"tls_client_auth_subject_dn": "cn = Billing   SERVICE"}, ("billing.example.org",)),
    "among others": ({"tls_client_auth_san_dns": "b.example.org"}, ("a.example.org", "b.example.org")),
}


@pytest.mark.parametrize(("registered", "names"), NAMES.values(), ids=NAMES.keys())
async def test_certificate_with_the_registered_name_proves_the_client(registered, names):
    async with machines_world() as machines:
        await machines.client(**TLS, **registered)
        common_name = "Billing Service" if "tls_client_auth_subject_dn" in registered else ""
        answer = await machines.own_token(await machines.certificate(*names, common_name=common_name))
        assert answer.status == 200, answer.body
        response = members(answer)
        assert (response["token_type"], response["expires_in"], response["scope"]) == ("Bearer", 600, "bills:read")
        assert set(response) == {"access_token", "token_type", "expires_in", "scope"}
        assert dict(answer.headers)["cache-control"] == "no-store"


OTHERS = {
    "mail registered, DNS shown": ({"tls_client_auth_san_email": "curl@example.org"}, ("curl",)),
    "DNS registered, common name shown": ({"tls_client_auth_san_dns": "billing"}, ("other",)),
    "part of the name": ({"tls_client_auth_san_dns": "example.org"}, ("billing.example.org",)),
    "other case of a URI": ({"tls_client_auth_san_uri": "spiffe://example.org/Billing"}, ("spiffe://example.org/billing",)),
    "other address": ({"tls_client_auth_san_ip": "192.0.2.1"}, ("192.0.2.10",)),
    "other case of a mailbox": ({"tls_client_auth_san_email": "Billing@example.org"}, ("billing@example.org",)),
    "longer subject": ({"tls_client_auth_subject_dn": "CN=billing,O=Example"}, ("billing",)),
}


@pytest.mark.parametrize(("registered", "names"), OTHERS.values(), ids=OTHERS.keys())
async def test_certificate_without_the_registered_name_in_its_place_is_refused(registered, names):
    async with machines_world() as machines:
        await machines.client(**TLS, **registered)
        common_name = "billing" if "shown" in str(registered) else ""
        assert refused(await machines.own_token(await machines.certificate(*names, common_name=common_name))) == (
            401,
            "invalid_client",
        )
        assert "does not have the name that is registered" in (await machines.reasons())[-1]


def billing(machines):
    return machines.client(**TLS, tls_client_auth_san_dns="billing")


async def no_certificate(machines):
    return None


async def self_made(machines):
    return self_signed(at=machines.clock.now())[0]


async def revoked(machines):
    made = await machines.certificate("billing")
    assert (await machines.own_token(made)).status == 200
    await machines.revoke(made)
    return made


async def expired(machines):
    made = await machines.certificate("billing")
    machines.clock.advance(timedelta(days=2))
    return made


async def of_the_authority(machines):
    [issuing] = await machines.app.parts.ca.issuers.intermediates()
    return issuing.certificate_der


async def for_servers_alone(machines):
    """Of this authority, with the right name, and for no client."""
    usual = {"name": "sites", "name_types": ["dns"], "key_kinds": ["EC"], "key_uses": ["digital_signature"]}
    lives = {"shortest": "1h", "default": "24h", "longest": "48h"}
    await machines.app.parts.ca.profiles.create({**usual, **lives, "extended_uses": ["server_auth"]}, actor=SYSTEM)
    await machines.ca.add_jwk("sites", profile="sites")
    return await machines.certificate("billing", provisioner="sites")


async def of_another_authority(_machines):
    """With the subject and the names of the right one."""
    return leaf_of(TestAuthority("Example Issuing CA 1").client("billing"))


async def not_read(_machines):
    return b"\x30\x03\x02\x01\x01"


REFUSED = {
    no_certificate: "no client certificate was shown",
    self_made: "was not issued here",
    revoked: "was revoked at",
    expired: "expired at",
    of_the_authority: "was not issued here",
    of_another_authority: "was not issued here",
    for_servers_alone: "may not be used to authenticate a client",
    not_read: "cannot be read",
}


@pytest.mark.parametrize(("shown", "reason"), REFUSED.items(), ids=lambda each: getattr(each, "__name__", ""))
async def test_certificate_that_proves_nothing_is_refused_with_one_text_and_the_record_says_why(shown, reason):
    async with machines_world() as machines:
        await billing(machines)
        answer = await machines.own_token(await shown(machines))
        assert refused(answer) == (401, "invalid_client")
        assert members(answer)["error_description"].startswith("The client is unknown, or did not prove itself")
        assert reason in (await machines.reasons())[-1]


async def test_certificate_is_good_from_its_first_second_to_its_last():
    async with machines_world() as machines:
        await billing(machines)
        made = await machines.certificate("billing")
        assert (await machines.own_token(made)).status == 200
        machines.clock.advance(timedelta(hours=24, seconds=-1))
        assert (await machines.own_token(made)).status == 200
        machines.clock.advance(timedelta(seconds=3))
        assert refused(await machines.own_token(made)) == (401, "invalid_client")
        machines.clock.advance(timedelta(hours=-24, seconds=-32))
        assert (await machines.own_token(made)).status == 200
        machines.clock.advance(timedelta(seconds=-90))
        assert refused(await machines.own_token(made)) == (401, "invalid_client")
        assert any("is not valid before" in each for each in await machines.reasons())


async def test_certificate_of_one_client_does_not_prove_another():
    async with machines_world() as machines:
        await billing(machines)
        await machines.client("shipping", **TLS, tls_client_auth_san_dns="shipping")
        shipping = await machines.certificate("shipping")
        assert refused(await machines.own_token(shipping)) == (401, "invalid_client")
        assert (await machines.own_token(shipping, client_id="shipping")).status == 200


async def test_client_id_is_mandatory_at_every_endpoint():
    async with machines_world() as machines:
        await billing(machines)
        made = await machines.certificate("billing")
        form = {"grant_type": "client_credentials", "token": "x", "response_type": "code", "scope": "bills:read"}
        for path in ("/oauth2/token", "/oauth2/token/introspect", "/oauth2/token/revoke", "/oauth2/par", "/oauth2/device"):
            assert refused(await machines.post(path, form, certificate=made)) == (400, "invalid_request"), path
            named = await machines.post(path, {**form, "client_id": "billing"}, certificate=made)
            assert named.status == 200 or refused(named)[1] != "invalid_client", path


async def test_second_way_to_authenticate_beside_the_certificate_is_an_invalid_request():
    async with machines_world() as machines:
        await billing(machines)
        made = await machines.certificate("billing")
        in_header = await machines.own_token(made, basic("billing", ""))
        in_form = await machines.own_token(made, client_secret="x")
        asserted = await machines.own_token(made, **machines.assertion(client_key()))
        assert [refused(each) for each in (in_header, in_form, asserted)] == [(400, "invalid_request")] * 3
        assert any("in another way" in each for each in await machines.reasons())


async def test_client_with_a_secret_is_not_proven_by_a_certificate():
    async with machines_world() as machines:
        await machines.client()
        assert refused(await machines.own_token(await machines.certificate("billing"))) == (401, "invalid_client")


async def test_renewed_certificate_proves_the_client_without_another_registration():
    async with machines_world() as machines:
        await billing(machines)
        for _ in range(2):
            assert (await machines.own_token(await machines.certificate("billing"))).status == 200


async def test_certificate_of_a_person_who_was_disabled_proves_nothing():
    async with machines_world() as machines:
        alice = await machines.person("alice", groups=("users",))
        await billing(machines)
        made = await machines.certificate("billing")

        async def speaks_for_alice(tx):
            await tx.run(Statement(update(certificates).values(account_id=alice.id)))

        await machines.db.write(speaks_for_alice)
        assert (await machines.own_token(made)).status == 200
        await machines.directory.disable("alice", actor=SYSTEM)
        assert refused(await machines.own_token(made)) == (401, "invalid_client")
        assert "may not act" in (await machines.reasons())[-1]


@pytest.mark.parametrize("path", ["/oauth2/token/introspect", "/oauth2/token/revoke"])
async def test_introspection_and_revocation_take_the_certificate_too(path):
    async with machines_world() as machines:
        await billing(machines)
        made = await machines.certificate("billing")
        token = members(await machines.own_token(made))["access_token"]
        form = {"token": token, "client_id": "billing"}
        assert (await machines.post(path, form, certificate=made)).status == 200
        assert refused(await machines.post(path, form)) == (401, "invalid_client")


# --- self-signed certificates -----------------------------------------------------------------------------------------


async def test_registered_self_signed_certificate_proves_the_client():
    async with machines_world() as machines:
        made, jwks = self_signed(at=machines.clock.now())
        await machines.client(**SELF_SIGNED, jwks=jwks)
        assert (await machines.own_token(made)).status == 200
        other, _ = self_signed(at=machines.clock.now())
        assert refused(await machines.own_token(other)) == (401, "invalid_client")
        assert "none of those that the client registered" in (await machines.reasons())[-1]
        machines.clock.advance(timedelta(days=1))
        assert refused(await machines.own_token(made)) == (401, "invalid_client")
        assert (await machines.reasons())[-1] == "the certificate has expired"


async def test_key_of_a_self_signed_certificate_without_the_certificate_proves_nothing():
    async with machines_world() as machines:
        made, _ = self_signed(at=machines.clock.now())
        await machines.client(**SELF_SIGNED, jwks=key_set(client_key()))
        assert refused(await machines.own_token(made)) == (401, "invalid_client")


async def test_certificate_of_ours_with_the_right_name_does_not_prove_a_self_signed_client():
    async with machines_world() as machines:
        _, jwks = self_signed(at=machines.clock.now())
        await machines.client(**SELF_SIGNED, jwks=jwks)
        assert refused(await machines.own_token(await machines.certificate("billing"))) == (401, "invalid_client")


async def test_second_self_signed_certificate_counts_beside_the_first_until_that_is_taken_out():
    async with machines_world() as machines:
        first, old = self_signed(at=machines.clock.now())
        second, new = self_signed(at=machines.clock.now())
        await machines.client(**SELF_SIGNED, jwks={"keys": [*old["keys"], *new["keys"]]})
        assert [(await machines.own_token(each)).status for each in (first, second)] == [200, 200]
        await machines.server.clients.change("billing", {"jwks": new}, actor=SYSTEM)
        assert [(await machines.own_token(each)).status for each in (first, second)] == [401, 200]


def leaf_of(pair):
    return x509.load_pem_x509_certificate(pair[0]).public_bytes(Encoding.DER)


def of_no_version(der):
    """With version 8 of X.509, which there is not; TLS takes such a certificate."""
    return der.replace(bytes.fromhex("a003020102"), bytes.fromhex("a003020107"), 1)


@pytest.mark.parametrize("spoil", [of_no_version, lambda der: der[:-1], lambda der: der + b"x", lambda _der: b"\0"])
async def test_certificate_that_cannot_be_read_binds_no_token_and_proves_no_one(spoil):
    async with machines_world() as machines:
        made, jwks = self_signed(at=machines.clock.now())
        spoilt = spoil(made)
        secret = await machines.client(tls_client_certificate_bound_access_tokens=True)
        bound = await machines.own_token(spoilt, basic("billing", secret))
        assert (bound.status, members(bound)["error"]) == (400, "invalid_request")
        jwks["keys"][0]["x5c"] = [base64.b64encode(spoilt).decode()]
        await machines.client("other", **SELF_SIGNED, jwks=jwks)
        assert refused(await machines.own_token(spoilt, client_id="other")) == (401, "invalid_client")


async def test_certificates_that_are_refused_for_different_reasons_are_not_counted_together():
    async with machines_world() as machines:
        await billing(machines)
        for shown in (self_made, revoked, of_another_authority):
            assert (await machines.own_token(await shown(machines))).status == 401
        foreign, ended = await machines.reasons()
        assert "was not issued here" in foreign
        assert "was revoked at" in ended
