from dataclasses import replace

import pytest

from sealwright.client_metadata import ClientKind, ClientMetadata, ClientRefused
from sealwright.oauth.clients.changes import with_members

CONFIDENTIAL = ClientMetadata(name="billing", display_name="B", kind=ClientKind.CONFIDENTIAL, landing_url="https://b.example.org")
PUBLIC = replace(CONFIDENTIAL, kind=ClientKind.PUBLIC)
KEY = {
    "kty": "EC",
    "crv": "P-256",
    "kid": "1",
    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
}
TLS = {"token_endpoint_auth_method": "tls_client_auth"}


def refusal(members, client=CONFIDENTIAL):
    with pytest.raises(ClientRefused) as caught:
        with_members(client, members)
    return f"{caught.value.detail} {caught.value.hint}"


@pytest.mark.parametrize(
    "subject",
    [
        {"tls_client_auth_subject_dn": "CN=billing,O=Example"},
        {"tls_client_auth_san_dns": "curl"},
        {"tls_client_auth_san_uri": "spiffe://example.org/billing"},
        {"tls_client_auth_san_ip": "192.0.2.7"},
        {"tls_client_auth_san_email": "billing@example.org"},
    ],
)
def test_client_with_one_name_of_its_certificate_can_authenticate_by_it(subject):
    made = with_members(CONFIDENTIAL, TLS | subject)
    assert {name: getattr(made, name) for name in subject} == subject


def test_address_is_kept_in_its_usual_form():
    assert with_members(CONFIDENTIAL, TLS | {"tls_client_auth_san_ip": "0:0:0:0:0:0:0:1"}).tls_client_auth_san_ip == "::1"


def test_no_name_of_a_certificate_is_refused():
    assert "exactly one of tls_client_auth_subject_dn" in refusal(TLS)


def test_two_names_of_a_certificate_are_refused():
    assert "exactly one" in refusal(TLS | {"tls_client_auth_san_dns": "curl", "tls_client_auth_san_uri": "spiffe://a/b"})


def test_the_only_name_cannot_be_taken_away_from_a_client_that_needs_it():
    client = with_members(CONFIDENTIAL, TLS | {"tls_client_auth_san_dns": "curl"})
    assert "with no name" in refusal({"tls_client_auth_san_dns": None}, client)
    moved = with_members(client, {"tls_client_auth_san_dns": None, "tls_client_auth_san_uri": "spiffe://a/b"})
    assert moved.tls_client_auth_san_dns is None


def test_name_that_is_no_mailbox_is_refused_as_one_and_the_dns_name_is_proposed():
    told = refusal(TLS | {"tls_client_auth_san_email": "curl"})
    assert "not a mail address" in told
    assert 'tls_client_auth_san_dns: "curl"' in told


@pytest.mark.parametrize(
    "subject",
    [
        {"tls_client_auth_subject_dn": "billing"},
        {"tls_client_auth_san_dns": "*.example.org"},
        {"tls_client_auth_san_uri": "no uri"},
        {"tls_client_auth_san_ip": "192.0.2.256"},
        {"tls_client_auth_san_email": "a@b@c"},
    ],
)
def test_malformed_name_is_refused_and_named(subject):
    ((member, value),) = subject.items()
    told = refusal(TLS | subject)
    assert member in told
    assert value in told


@pytest.mark.parametrize("method", ["private_key_jwt", "self_signed_tls_client_auth"])
def test_client_that_authenticates_by_a_key_needs_exactly_one_source_of_it(method):
    chosen = {"token_endpoint_auth_method": method}
    assert "without a key" in refusal(chosen)
    both = {"jwks": {"keys": [KEY]}, "jwks_uri": "https://b.example.org/jwks"}
    assert "both jwks and jwks_uri" in refusal(chosen | both)
    assert with_members(CONFIDENTIAL, chosen | {"jwks": both["jwks"]}).jwks == both["jwks"]
    assert with_members(CONFIDENTIAL, chosen | {"jwks_uri": both["jwks_uri"]}).jwks_uri == both["jwks_uri"]


@pytest.mark.parametrize(
    ("jwks", "said"),
    [
        ({}, "no list"),
        ({"keys": []}, "no list"),
        ({"keys": ["text"]}, "no list"),
        ({"keys": [KEY] * 21}, "21 keys"),
        ({"keys": [KEY | {"d": "870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE"}]}, "'d'"),
        ({"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}, "'k'"),
    ],
)
def test_key_set_without_keys_with_too_many_or_with_private_ones_is_refused(jwks, said):
    assert said in refusal({"jwks": jwks})


@pytest.mark.parametrize("uri", ["ftp://a/b", "https://", "https://a/b#c", "https://u:p@a/b", "https://a/b c", "/jwks"])
def test_address_that_no_keys_can_be_fetched_from_is_refused(uri):
    assert "jwks_uri" in refusal({"jwks_uri": uri})


def test_public_client_authenticates_by_nothing_and_a_confidential_one_by_something():
    assert "confidential client" in refusal({"token_endpoint_auth_method": "none"})
    assert "public client" in refusal({"token_endpoint_auth_method": "client_secret_basic"}, PUBLIC)
    assert with_members(PUBLIC, {"token_endpoint_auth_method": "none"}).token_endpoint_auth_method == "none"


def test_algorithm_that_does_not_fit_the_method_is_refused():
    chosen = {"token_endpoint_auth_method": "client_secret_jwt", "token_endpoint_auth_signing_alg": "ES256"}
    assert "not signed with ES256" in refusal(chosen)
