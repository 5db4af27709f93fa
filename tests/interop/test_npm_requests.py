"""openid-client of npm with what goes beyond the usual: pushed and signed requests, DPoP, a key instead of a secret, devices."""

import json

import pytest

from demo.forms import Browser
from sealwright.jose import base64url, jwk_of
from tests.interop.client_programs import OAUTH2, npm_client, register, sign_in
from tests.live import PERSON_PASSWORD
from tests.signing import signing_key

SCOPES = ("openid", "profile", "email")


@pytest.mark.parametrize("signed", [False, True], ids=["fapi2", "signed"])
def test_application_with_a_key_pushes_or_signs_its_request_and_proves_its_tokens(server, tmp_path, signed):
    name = f"wallet-{'signed' if signed else 'fapi2'}"
    settings = register(server, name, *SCOPES)
    key = signing_key("ES256")
    public = jwk_of(key.public_key, key.id, "ES256")
    (tmp_path / "keys.json").write_text(json.dumps({"keys": [public]}))
    server.sealwright(*OAUTH2, "set-authentication", name, "private_key_jwt", "--jwks", str(tmp_path / "keys.json"))
    if signed:
        server.sealwright(*OAUTH2, "enable-signed-requests-only", name)
    else:
        server.sealwright(*OAUTH2, "set-profile", name, "fapi2")
    private = base64url(key.private_key.private_numbers().private_value.to_bytes(32))
    jwk = {"kty": "EC", "crv": "P-256", "x": public["x"], "y": public["y"], "d": private, "kid": key.id}
    settings |= {"key": jwk, "signed": signed}
    with npm_client("openid_client_fapi.mjs", server, tmp_path, **settings) as program:
        address = program.receive()["open"]
        program.send({"callback": sign_in(server, address, settings["redirect_uri"])})
        result = program.receive()
    person = server.sealwright_json("person", "get", "alice")
    assert result["parameters"] == ["client_id", "request" if signed else "request_uri"]
    assert (result["type"].lower(), result["own"].lower()) == ("dpop", "dpop")
    assert result["person"]["sub"] == person["id"]
    assert (result["introspected"]["active"], result["introspected"]["token_type"]) == (True, "DPoP")
    assert set(result["introspected"]["cnf"]) == {"jkt"}


def test_person_allows_a_device_elsewhere(server, tmp_path):
    settings = register(server, "television", *SCOPES, public=True)
    server.sealwright(*OAUTH2, "enable-device-flow", "television")
    with npm_client("openid_client_device.mjs", server, tmp_path, **settings) as program:
        codes = program.receive()["codes"]
        browser = Browser(server.root)
        page = browser.submit(browser.open(codes["verification_uri"]), "continue", user_code=codes["user_code"])
        page = browser.submit(page, "sign-in", username="alice", password=PERSON_PASSWORD)
        page = browser.submit(page, "allow")
        assert "The device has access" in page.text
        program.send({})
        result = program.receive()
    assert result["claims"]["sub"] == server.sealwright_json("person", "get", "alice")["id"]
