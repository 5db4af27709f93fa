from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from sealwright.ca import serial_in
from sealwright.errors import InvalidInput
from sealwright.jose import decrypt_private_jwk
from sealwright.jose import sign as jose_sign
from tests.signing import provisioner_key
from tests.unit.api.world import MACHINES, server_world

OIDC = {
    "type": "OIDC",
    "name": "kanidm",
    "clientID": "step-ca",
    "clientSecret": "AAAAAAAAAAAAAAAA",
    "configurationEndpoint": "https://id.example.org/oauth2/openid/step-ca/.well-known/openid-configuration",
    "admins": ["ariel@example.org"],
    "domains": ["example.org"],
    "listenAddress": "localhost:10000",
    "scopes": ["openid", "email"],
    "claims": {"defaultTLSCertDuration": "2h", "disableRenewal": True, "maxTLSCertDuration": "8h"},
}


async def test_provisioner_is_listed_without_its_secret():
    async with server_world() as world:
        token = await world.token("carl", "ca_admins")
        status, made = await world.call("POST", "/provisioners", OIDC, token=token)
        assert status == 201
        shown = {name: value for name, value in OIDC.items() if name != "clientSecret"}
        assert made == shown
        assert await world.call("GET", "/provisioners/kanidm", token=token) == (200, shown)
        _, page = await world.call("GET", "/provisioners", token=token)
        assert page == {"items": [shown], "next": None}
        status, _ = await world.call("POST", "/provisioners", OIDC, token=token)
        assert status == 409
        assert await world.call("DELETE", "/provisioners/kanidm", token=token) == (204, None)
        assert (await world.call("GET", "/provisioners/kanidm", token=token))[0] == 404


async def test_member_that_is_not_known_is_refused_by_name():
    async with server_world() as world:
        token = await world.token("carl", "ca_admins")
        status, problem = await world.call("POST", "/provisioners", {**OIDC, "domain": ["x"]}, token=token)
        assert status == 400
        assert problem["detail"] == "In the provisioner 'kanidm' the member domain is not known here."


async def test_provisioners_are_listed_page_by_page():
    async with server_world() as world:
        token = await world.token("carl", "ca_admins")
        for number in range(3):
            body = {**OIDC, "name": f"p{number}", "clientID": f"c{number}"}
            assert (await world.call("POST", "/provisioners", body, token=token))[0] == 201
        seen, query = [], "limit=1"
        while True:
            _, page = await world.call("GET", "/provisioners", token=token, query=query)
            seen += [each["name"] for each in page["items"]]
            if page["next"] is None:
                break
            query = f"limit=1&after={page['next']}"
        assert seen == ["p0", "p1", "p2"]


async def issue(world, carl, name="web.example.org"):
    """A certificate from a JWK provisioner."""
    from sealwright.http import Request

    public, sealed = provisioner_key("correct horse")
    body = {"type": "JWK", "name": "first", "key": public, "encryptedKey": sealed}
    assert (await world.call("POST", "/provisioners", body, token=carl))[0] == 201
    now = world.clock.now() // 1000
    claims = {"iss": "first", "sub": name, "aud": f"{MACHINES}/1.0/sign", "sans": [name], "jti": "1", "iat": now, "nbf": now}
    leaf = ec.generate_private_key(ec.SECP256R1())
    csr = x509.CertificateSigningRequestBuilder(x509.Name([])).sign(leaf, hashes.SHA256())
    import msgspec

    sign = {
        "csr": csr.public_bytes(Encoding.PEM).decode(),
        "ott": jose_sign(decrypt_private_jwk(sealed, b"correct horse"), {**claims, "exp": now + 300}),
    }
    answer = await world.answer(MACHINES, Request("POST", "/sign", body=msgspec.json.encode(sign)))
    assert answer.status == 201, answer.body
    return x509.load_pem_x509_certificate(msgspec.json.decode(answer.body)["crt"].encode())


async def test_certificate_is_listed_shown_and_revoked():
    async with server_world() as world:
        carl = await world.token("carl", "ca_admins")
        certificate = await issue(world, carl)
        _, page = await world.call("GET", "/certificates", token=carl)
        (listed,) = page["items"]
        assert listed["serial_decimal"] == str(certificate.serial_number)
        assert (listed["state"], listed["provisioner"], listed["person"]) == ("issued", "first", None)
        assert listed["names"] == [{"type": "dns", "value": "web.example.org"}]
        for spelling in (listed["serial"], listed["serial"].upper(), listed["serial_decimal"]):
            status, shown = await world.call("GET", f"/certificates/{spelling}", token=carl)
            assert status == 200
            assert shown["issuer"] == "Example Issuing CA 1"
            assert x509.load_pem_x509_certificate(shown["certificate"].encode()) == certificate
        body = {"reason": "keyCompromise", "note": "the laptop is gone"}
        status, revoked = await world.call("POST", f"/certificates/{listed['serial']}/revoke", body, token=carl)
        assert (status, revoked["state"], revoked["revocation_reason"]) == (200, "revoked", "keyCompromise")
        status, problem = await world.call("POST", f"/certificates/{listed['serial']}/revoke", body, token=carl)
        assert (status, problem["code"]) == (409, "already_revoked")
        world.clock.advance(timedelta(days=2))
        _, page = await world.call("GET", "/certificates", token=(await world.token("cleo", "ca_admins")))
        assert page["items"][0]["state"] == "revoked"


async def test_certificates_of_others_are_not_shown_to_everyone():
    async with server_world() as world:
        carl = await world.token("carl", "ca_admins")
        certificate = await issue(world, carl)
        alice = await world.token("alice")
        assert await world.call("GET", "/certificates", token=alice) == (200, {"items": [], "next": None})
        for method, more, body in (("GET", "", None), ("POST", "/revoke", {})):
            path = f"/certificates/{certificate.serial_number}{more}"
            status, problem = await world.call(method, path, body, token=alice)
            assert (status, problem["code"]) == (403, "not_permitted")


async def test_certificates_are_found_by_name_among_those_that_one_may_see():
    async with server_world() as world:
        carl, alice = await world.token("carl", "ca_admins"), await world.token("alice")
        await issue(world, carl)
        for name, found in (("web.example.org", 1), (".EXAMPLE.org", 1), ("example.org", 0)):
            _, page = await world.call("GET", "/certificates", query=f"name={name}", token=carl)
            assert len(page["items"]) == found, name
            assert (await world.call("GET", "/certificates", query=f"name={name}", token=alice))[1]["items"] == []
        status, problem = await world.call("GET", "/certificates", query="name=.", token=carl)
        assert (status, problem["code"]) == (400, "invalid_input")


async def test_certificate_past_its_end_is_expired():
    async with server_world() as world:
        await issue(world, await world.token("carl", "ca_admins"))
        world.clock.advance(timedelta(days=2))
        cleo = await world.token("cleo", "ca_admins")
        _, page = await world.call("GET", "/certificates", token=cleo)
        assert page["items"][0]["state"] == "expired"


@pytest.mark.parametrize("text", ["", "xyz", "12 34", "-1", "9" * 50, "0x", "0xyz", "ab" * 21, "0x" + "ab" * 21])
def test_what_is_no_serial_number_is_refused(text):
    with pytest.raises(InvalidInput, match="not a serial number"):
        serial_in(text)


def test_serial_numbers_are_taken_as_people_write_them():
    data = bytes(range(1, 21))
    assert serial_in(data.hex()) == data
    assert serial_in(data.hex(":").upper()) == data
    assert serial_in(f"0x{data.hex()}") == serial_in(f"0X{int.from_bytes(data):X}") == data
    assert serial_in(str(int.from_bytes(data, "big"))) == data
