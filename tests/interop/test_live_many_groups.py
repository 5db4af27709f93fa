"""A person in 331 groups: their token is read wherever one of this server is, however it comes."""

import base64
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from sealwright.jose import UnverifiedToken
from tests.interop import people
from tests.interop.wire import line, new_key, signing_request
from tests.live import ADMIN_PASSWORD

GROUPS = [f"department-{number:03}-of-the-northern-division-inc" for number in range(331)]


def join_all(server, person):
    with line(server.people, server.root) as opened:
        told = opened.send("POST", "/api/v1/login", {"name": "admin", "password": ADMIN_PASSWORD}).json()
        authorization = f"Bearer {told['token']}"
        for name in GROUPS:
            made = opened.send("POST", "/api/v1/groups", {"name": name}, authorization=authorization)
            assert made.status == 201, made.body
            joined = opened.send("PATCH", f"/api/v1/groups/{name}/members", {"add": [person]}, authorization=authorization)
            assert joined.status == 200, joined.body


@pytest.fixture(scope="module")
def place(server):
    """A person in many groups, a client that asks for them, and its provisioner; yields the person's browser."""
    person = ("person",)
    password = server.file("many-password", "seven-green-kettles-sing-9")
    server.sealwright(*person, "create", "many", "Many Groups")
    server.sealwright(*person, "update", "many", "--mail", "many@example.org")
    server.sealwright(*person, "set-password", "many", "--password-file", password)
    server.sealwright("group", "add-members", "step-ca_users", "many")
    join_all(server, "many")
    oauth2 = ("system", "oauth2")
    server.sealwright(*oauth2, "create-public", "groups", "Groups", server.machines)
    server.sealwright(*oauth2, "enable-localhost-redirects", "groups")
    server.sealwright(*oauth2, "update-scope-map", "groups", "step-ca_users", "openid", "email", "groups")
    discovery = f"{server.people}/oauth2/openid/groups/.well-known/openid-configuration"
    endpoint = ("--configuration-endpoint", discovery)
    server.sealwright("provisioner", "add", "groups", "--type", "oidc", "--client-id", "groups", *endpoint)
    return people.sign_in(server, "many", "seven-green-kettles-sing-9")


def test_token_of_a_person_in_many_groups_is_read_at_sign_at_userinfo_and_as_a_hint(server, place):
    asked = {"client": "groups", "scope": "openid email groups"}
    answer, verifier = people.code_for(server, place, **asked)
    tokens = people.redeem(server, answer["code"], verifier, client="groups").json()
    token = tokens["id_token"]
    assert len(token) > 20_000
    assert set(GROUPS) < set(UnverifiedToken(token).claims()["groups"])

    issued = people.with_token(server, signing_request(new_key(), "many@example.org"), token)
    assert issued.status == 201, issued.body

    with line(server.people, server.root) as opened:
        userinfo = "/oauth2/openid/groups/userinfo"
        told = opened.send("GET", userinfo, authorization=f"Bearer {tokens['access_token']}").json()
    assert set(GROUPS) < set(told["groups"])

    challenge = base64.urlsafe_b64encode(bytes(32)).rstrip(b"=").decode()
    form = {
        "client_id": "groups",
        "redirect_uri": people.RETURN_TO,
        "response_type": "code",
        "scope": "openid email groups",
        "state": "s",
        "code_challenge": challenge,
        "code_challenge_method": "S256",
        "id_token_hint": token,
    }
    with line(server.people, server.root) as opened:
        content_type = "application/x-www-form-urlencoded"
        address = f"/oauth2/authorise?{urlencode(form)}"
        assert opened.send("GET", address).status == 414, "an address holds less than a form; see docs/reference/limits.md"
    with line(server.people, server.root) as opened:
        posted = opened.send("POST", "/oauth2/authorise", urlencode(form).encode(), content_type=content_type)
    assert posted.status == 303
    by_post = place.submit(place.open(f"{server.people}{posted.headers['location']}"), "allow")
    assert "code" in parse_qs(urlsplit(by_post.url).query), by_post.url
