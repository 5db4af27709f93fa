"""What a definition may hold, and how a wrong one is refused."""

import json
from datetime import timedelta

import msgspec
import pytest

from sealwright.ca.models import Claims
from sealwright.ca.provisioners import (
    DefinitionRefused,
    JwkProvisioner,
    OidcProvisioner,
    listed,
    parse_definition,
)
from sealwright.jose import jwk_of, thumbprint
from tests.authorities import key

KANIDM = """
{
  "admins": ["ariel@richtman.au"],
  "claims": {"defaultTLSCertDuration": "2h", "disableRenewal": true, "maxTLSCertDuration": "8h"},
  "clientID": "step-ca",
  "clientSecret": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
  "configurationEndpoint": "https://id.richtman.au/oauth2/openid/step-ca/.well-known/openid-configuration",
  "domains": ["id.richtman.au"],
  "listenAddress": "localhost:10000",
  "name": "kanidm",
  "scopes": ["openid", "email"],
  "type": "OIDC"
}
"""


def oidc(**members):
    least = {"type": "OIDC", "name": "p", "clientID": "c", "configurationEndpoint": "https://id.example.org"}
    return {name: value for name, value in {**least, **members}.items() if value is not ...}


def public_jwk(**members):
    public = key("jwk admin").public_key()
    return {**jwk_of(public, thumbprint(public), "ES256"), **members}


def jwk(**members):
    return {"type": "JWK", "name": "admin", "key": public_jwk(), **members}


def shown(provisioner):
    return json.loads(msgspec.json.encode(listed(provisioner)))


def parse(document):
    return parse_definition(document, defaults=Claims())


def test_object_of_a_published_recipe_is_accepted_unchanged():
    provisioner = parse(json.loads(KANIDM))
    assert isinstance(provisioner, OidcProvisioner)
    assert shown(provisioner) == json.loads(KANIDM)
    assert provisioner.id == "step-ca"
    assert (provisioner.claims.default, provisioner.claims.longest) == (timedelta(hours=2), timedelta(hours=8))
    assert provisioner.claims.disable_renewal


def test_missing_client_secret_is_listed_as_empty():
    assert shown(parse(oidc()))["clientSecret"] == ""


def test_issuer_alone_is_completed_to_the_discovery_address():
    whole = "https://id.example.org/.well-known/openid-configuration"
    for endpoint in ("https://id.example.org", "https://id.example.org/", whole):
        assert parse(oidc(configurationEndpoint=endpoint)).definition.configuration_url == whole


def test_type_is_read_in_any_case():
    assert shown(parse(oidc(type="oidc")))["type"] == "OIDC"


def test_empty_options_of_step_ca_are_accepted():
    assert parse(oidc(options={"x509": {}, "ssh": {}})).name == "p"


def test_ssh_claims_of_an_imported_definition_are_accepted():
    assert parse(oidc(claims={"enableSSHCA": True, "maxUserSSHCertDuration": "20h"})).name == "p"


@pytest.mark.parametrize(
    ("members", "named"),
    [
        ({"clientid": "x"}, "clientid"),
        ({"admin": ["x@example.org"]}, "admin"),
        ({"name": ...}, "name"),
        ({"name": ""}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"name": "x" * 129}, "name"),
        ({"clientID": ...}, "clientID"),
        ({"clientID": ""}, "clientID"),
        ({"clientID": 5}, "clientID"),
        ({"configurationEndpoint": ...}, "configurationEndpoint"),
        ({"configurationEndpoint": "http://id.example.org"}, "configurationEndpoint"),
        ({"configurationEndpoint": "https://"}, "configurationEndpoint"),
        ({"configurationEndpoint": "https://me:pw@id.example.org"}, "configurationEndpoint"),
        ({"configurationEndpoint": "https://id.example.org:99999"}, "configurationEndpoint"),
        ({"configurationEndpoint": "https://id.example.org/ x"}, "configurationEndpoint"),
        ({"admins": "x@example.org"}, "admins"),
        ({"admins": [""]}, "admins"),
        ({"admins": ["account:"]}, "admins"),
        ({"admins": ["group:"]}, "admins"),
        ({"groups": ["group:"]}, "groups"),
        ({"groups": ["a", ""]}, "groups"),
        ({"domains": ["@example.org"]}, "domains"),
        ({"domains": [""]}, "domains"),
        ({"scopes": ["email"]}, "scopes"),
        ({"scopes": ["openid", "e mail"]}, "scopes"),
        ({"authParams": ["prompt"]}, "authParams"),
        ({"listenAddress": "localhost"}, "listenAddress"),
        ({"listenAddress": ":100000"}, "listenAddress"),
        ({"allowUnverifiedEmail": "yes"}, "allowUnverifiedEmail"),
        ({"claims": {"maxTLSCertDuration": "8 hours"}}, "maxTLSCertDuration"),
        ({"claims": {"maxTlsCertDuration": "8h"}}, "maxTlsCertDuration"),
        (
            {"claims": {"minTLSCertDuration": "9h", "maxTLSCertDuration": "8h", "defaultTLSCertDuration": "8h"}},
            "minTLSCertDuration",
        ),
        ({"options": {"x509": {"template": "{}"}}}, "options.x509.template"),
        ({"options": {"webhooks": [{"name": "w"}]}}, "options.webhooks"),
        ({"type": "ACME"}, "type"),
        ({"type": None}, "type"),
        ({"key": {}}, "key"),
    ],
)
def test_wrong_member_of_an_oidc_definition_is_named(members, named):
    with pytest.raises(DefinitionRefused) as refusal:
        parse(oidc(**members))
    assert named in refusal.value.detail


@pytest.mark.parametrize("document", [None, [], "OIDC", 5])
def test_definition_is_an_object(document):
    with pytest.raises(DefinitionRefused, match="object"):
        parse(document)


def test_jwk_definition_is_accepted():
    provisioner = parse(jwk(encryptedKey="a.b.c.d.e"))
    assert isinstance(provisioner, JwkProvisioner)
    assert provisioner.id == f"admin:{public_jwk()['kid']}"
    assert shown(provisioner) == {"type": "JWK", "name": "admin", "key": public_jwk(), "encryptedKey": "a.b.c.d.e"}


@pytest.mark.parametrize(
    ("members", "named"),
    [
        ({"key": ...}, "key"),
        ({"key": "x"}, "key"),
        ({"key": public_jwk(d="secret")}, "private"),
        ({"key": public_jwk(kid="")}, "kid"),
        ({"key": public_jwk(alg=None)}, "alg"),
        ({"key": public_jwk(alg="RS256")}, "alg"),
        ({"key": public_jwk(alg="none")}, "alg"),
        ({"key": public_jwk(use="enc")}, "use"),
        ({"key": public_jwk(x="AAAA")}, "key"),
        ({"key": {"kty": "oct", "k": "c2VjcmV0", "kid": "1", "alg": "HS256"}}, "k"),
        ({"encryptedKey": "not a JWE"}, "encryptedKey"),
        ({"clientID": "c"}, "clientID"),
    ],
)
def test_wrong_member_of_a_jwk_definition_is_named(members, named):
    document = {name: value for name, value in jwk(**members).items() if value is not ...}
    with pytest.raises(DefinitionRefused) as refusal:
        parse(document)
    assert named in refusal.value.detail
    assert "secret" not in refusal.value.detail


def access_token(**members):
    least = {"type": "ACCESS-TOKEN", "name": "jobs", "audience": "https://ca.example.org/jobs", "holders": [holder()]}
    return {**least, **members}


def holder(**members):
    return {"client": "backup", "names": ["backup.example.org"], **members}


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"audience": "jobs"}, "audience"),
        ({"audience": "https://ca.example.org/1.0/sign"}, "audience"),
        ({"audience": "https://ca.example.org/#jobs"}, "audience"),
        ({"scope": ""}, "scope"),
        ({"scope": "a b"}, "scope"),
        ({"holders": []}, "holders"),
        ({"holders": [holder(client="")]}, "account"),
        ({"holders": [holder(account="2f6b0c1e-5a0e-4c55-9a5b-2f5c1d7a8e01")]}, "account"),
        ({"holders": [holder(), holder()]}, "twice"),
        ({"holders": [holder(names=[])]}, "names"),
        ({"holders": [holder(names=["not a name"])]}, "not a name"),
        ({"holders": [holder(name="misspelt")]}, "name"),
    ],
)
def test_provisioner_of_access_tokens_that_would_give_nothing_or_too_much_is_refused(members, words):
    with pytest.raises(DefinitionRefused) as caught:
        parse(access_token(**members))
    assert words in caught.value.detail
