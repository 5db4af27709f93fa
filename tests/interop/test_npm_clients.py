"""The OpenID Connect clients of npm that are certified, unmodified, against a live server."""

import pytest

from tests.interop.client_programs import npm_client, register, sign_in

SCOPES = ("openid", "profile", "email")


@pytest.mark.parametrize("public", [False, True], ids=["confidential", "public"])
@pytest.mark.parametrize("script", ["openid_client.mjs", "oauth4webapi.mjs"])
def test_person_signs_in_to_an_application_that_handles_its_tokens(server, tmp_path, script, public):
    name = f"{script.partition('.')[0].replace('_', '-')}-{'public' if public else 'confidential'}"
    settings = register(server, name, *SCOPES, public=public)
    with npm_client(script, server, tmp_path, **settings) as program:
        address = program.receive()["open"]
        program.send({"callback": sign_in(server, address, settings["redirect_uri"])})
        result = program.receive()
    person = server.sealwright_json("person", "get", "alice")
    assert result["claims"]["sub"] == person["id"]
    assert result["claims"]["iss"] == settings["issuer"]
    assert result["person"]["preferred_username"] == person["spn"]
    assert result["person"]["email"] == person["mails"][0]["address"]
    if not public:
        assert (result["introspected"]["active"], result["introspected"]["username"]) == (True, person["spn"])
        assert (result["own"]["active"], result["own"]["client_id"]) == (True, name)
        assert result["own"]["sub"] not in (name, person["id"])
        assert result["revoked"] == {"active": False}
