"""Nimbus' oauth2-oidc-sdk, on which Spring Security stands, unmodified, against a live server."""

import pytest

from tests.interop.client_programs import OAUTH2, nimbus_client, register, sign_in_and_out, signs_with

SCOPES = ("openid", "profile", "email")


@pytest.mark.parametrize(
    ("kind", "algorithm"), [("confidential", "ES256"), ("public", "ES256"), ("classic", "RS256"), ("renamed-algorithm", "RS256")]
)
def test_nimbus_signs_a_person_in_handles_its_tokens_and_signs_out(server, tmp_path, kind, algorithm):
    """Kind `classic` is what Spring Security does where nothing is set in it: no PKCE for a client with a secret, and RS256."""
    client = f"nimbus-{kind}"
    settings = register(server, client, *SCOPES, public=kind == "public") | {"algorithm": algorithm}
    if kind == "classic":
        server.sealwright(*OAUTH2, "set-profile", client, "classic")
        settings["no_pkce"] = True
    elif algorithm == "RS256":
        server.sealwright(*OAUTH2, "warning-enable-legacy-crypto", client)
    signs_with(server, settings, algorithm)
    with nimbus_client(server, tmp_path, **settings) as program:
        result = sign_in_and_out(server, program, settings)
    person = server.sealwright_json("person", "get", "alice")
    assert (result["claims"]["sub"], result["claims"]["iss"]) == (person["id"], settings["issuer"])
    assert result["person"]["email"] == person["mails"][0]["address"]
    assert result["left"]
    if kind != "public":
        assert (result["introspected"]["active"], result["introspected"]["username"]) == (True, person["spn"])
        assert result["revoked"] == {"active": False}
