"""Authlib in a Flask application, unmodified, against a live server."""

import pytest

from tests.interop.client_programs import GOODBYE, OAUTH2, python_client, register, sign_in, sign_in_and_out, signs_with

SCOPES = ("openid", "profile", "email")


@pytest.mark.parametrize("kind", ["confidential", "public", "classic"])
def test_authlib_signs_a_person_in_handles_its_tokens_and_signs_out(server, tmp_path, kind):
    client = f"authlib-{kind}"
    settings = register(server, client, *SCOPES, public=kind == "public")
    if kind == "classic":
        server.sealwright(*OAUTH2, "set-profile", client, "classic")
        signs_with(server, settings, "RS256")
    with python_client("authlib_client.py", server, tmp_path, no_pkce=kind == "classic", **settings) as program:
        result = sign_in_and_out(server, program, settings)
    person = server.sealwright_json("person", "get", "alice")
    assert (result["claims"]["sub"], result["claims"]["iss"]) == (person["id"], settings["issuer"])
    assert (result["person"]["sub"], result["person"]["email"]) == (person["id"], person["mails"][0]["address"])
    assert result["refreshed"]
    assert result["left"] == f"{GOODBYE}?state={result['sign_out']['state']}"
    if kind != "public":
        assert (result["introspected"]["active"], result["introspected"]["username"]) == (True, person["spn"])
        assert result["revoked"] == {"active": False}
        assert (result["own"]["active"], result["own"]["client_id"]) == (True, client)


def test_authlib_as_its_documentation_shows_it_is_told_to_use_pkce(server, tmp_path):
    settings = register(server, "authlib-strict", *SCOPES)
    with python_client("authlib_client.py", server, tmp_path, no_pkce=True, **settings) as program:
        callback = sign_in(server, program.receive()["open"], settings["redirect_uri"])
    assert "error=invalid_request" in callback
    assert "code_challenge" in callback
