"""Names in client certificates that are twice there, or written in another way than they were registered."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.name import _ASN1Type

from tests.authorities import der_of
from tests.machines_world import MACHINES, machines_world, refused

TLS = {"token_endpoint_auth_method": "tls_client_auth"}

SAME = {
    "an address of IPv4 within IPv6": ({"tls_client_auth_san_ip": "::ffff:192.0.2.9"}, "192.0.2.9"),
    "the encoded form in capitals": ({"tls_client_auth_san_dns": "XN--BCHER-KVA.example.org"}, "xn--bcher-kva.example.org"),
    "an address with zeros": ({"tls_client_auth_san_ip": "2001:0DB8::0:9"}, "2001:db8::9"),
}
OTHER = {
    "an address as a DNS name": ({"tls_client_auth_san_ip": "192.0.2.9"}, "host-192-0-2-9.example.org"),
    "a URI with other escapes": ({"tls_client_auth_san_uri": "spiffe://example.org/b%69lling"}, "spiffe://example.org/billing"),
    "a name below it": ({"tls_client_auth_san_dns": "example.org"}, "billing.example.org"),
}


@pytest.mark.parametrize(("registered", "name"), SAME.values(), ids=SAME.keys())
async def test_name_proves_the_client_in_every_spelling_that_is_the_same(registered, name):
    async with machines_world() as machines:
        await machines.client(**TLS, **registered)
        answer = await machines.own_token(await machines.certificate(name))
        assert answer.status == 200, answer.body


@pytest.mark.parametrize(("registered", "name"), OTHER.values(), ids=OTHER.keys())
async def test_name_that_is_another_though_it_looks_alike_proves_nothing(registered, name):
    async with machines_world() as machines:
        await machines.client(**TLS, **registered)
        assert refused(await machines.own_token(await machines.certificate(name))) == (401, "invalid_client")


async def test_certificate_with_two_matching_names_proves_each_of_these_clients_and_no_other():
    async with machines_world() as machines:
        for name in ("a", "b", "c"):
            await machines.client(name, **TLS, tls_client_auth_san_dns=f"{name}.example.org")
        shown = await machines.certificate("a.example.org", "b.example.org")
        answers = {name: (await machines.own_token(shown, client_id=name)).status for name in ("a", "b", "c")}
        assert answers == {"a": 200, "b": 200, "c": 401}
        assert refused(await machines.own_token(shown, client_id="")) == (400, "invalid_request")


async def test_same_text_as_another_kind_of_name_does_not_count_beside_the_right_one():
    async with machines_world() as machines:
        await machines.client("mail", **TLS, tls_client_auth_san_email="a@example.org")
        await machines.client("host", **TLS, tls_client_auth_san_dns="example.org")
        shown = await machines.certificate("example.org")
        assert refused(await machines.own_token(shown, client_id="mail")) == (401, "invalid_client")
        assert (await machines.own_token(shown, client_id="host")).status == 200


@pytest.mark.parametrize("encoding", [_ASN1Type.UTF8String, _ASN1Type.PrintableString, _ASN1Type.BMPString, _ASN1Type.T61String])
async def test_subject_counts_by_its_characters_and_not_by_how_they_were_encoded(encoding):
    async with machines_world() as machines:
        await machines.client(**TLS, tls_client_auth_subject_dn="CN=billing service")
        private = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.OID_COMMON_NAME, "Billing Service", _type=encoding)])
        names = x509.SubjectAlternativeName([x509.DNSName("billing.example.org")])
        request = (
            x509.CertificateSigningRequestBuilder(subject).add_extension(names, critical=False).sign(private, hashes.SHA256())
        )
        token = machines.ca.jwk_token("Billing Service", aud=f"{MACHINES}/1.0/sign", sans=["billing.example.org"])
        body = {"csr": request.public_bytes(Encoding.PEM).decode(), "ott": token}
        status, answer = await machines.ca.call("POST", "/1.0/sign", body)
        assert status == 201, answer
        assert (await machines.own_token(der_of(answer))).status == 200


@pytest.mark.parametrize("path", ["/oauth2/par", "/oauth2/device"])
async def test_pushed_requests_and_devices_take_the_certificate_too(path):
    async with machines_world() as machines:
        await machines.client(**TLS, tls_client_auth_san_dns="billing.example.org")
        form = {"client_id": "billing", "response_type": "code", "scope": "bills:read"}
        shown = await machines.certificate("billing.example.org")
        assert refused(await machines.post(path, form)) == (401, "invalid_client")
        assert refused(await machines.post(path, form, certificate=shown))[1] != "invalid_client"
