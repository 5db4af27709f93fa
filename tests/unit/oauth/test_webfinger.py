"""WebFinger: which issuer signs the people of this server in."""

from urllib.parse import urlencode

import msgspec
import pytest

from tests.oauth_world import ORIGIN, members, oauth_world

PATHS = ("/oauth2/openid/step-ca/.well-known/webfinger", "/.well-known/webfinger/oauth2/openid/step-ca")


async def asked(path, **query):
    async with oauth_world() as world:
        await world.public_client()
        await world.person("alice")
        return await world.call("GET", f"{path}?{urlencode(query)}")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("name", ["alice", "nobody"])
async def test_every_name_of_the_domain_leads_to_the_issuer_whether_it_has_an_account_or_not(path, name):
    resource = f"acct:{name}@example.org"
    response = await asked(path, resource=resource, rel="http://openid.net/specs/connect/1.0/issuer")
    assert dict(response.headers)["content-type"] == "application/jrd+json"
    assert dict(response.headers)["access-control-allow-origin"] == "*"
    link = {"rel": "http://openid.net/specs/connect/1.0/issuer", "href": f"{ORIGIN}/oauth2/openid/step-ca"}
    assert msgspec.json.decode(response.body) == {"subject": resource, "links": [link]}


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({}, 400),
        ({"resource": ""}, 400),
        ({"resource": "alice"}, 400),
        ({"resource": "https://example.org/alice"}, 400),
        ({"resource": "acct:alice"}, 400),
        ({"resource": "acct:" + "a" * 300 + "@example.org"}, 400),
        ({"resource": "acct:alice@example.net"}, 404),
    ],
)
async def test_other_resources_are_refused_in_words(query, status):
    response = await asked(PATHS[0], **query)
    assert response.status == status
    assert members(response)["error_description"]


async def test_issuer_of_an_unknown_client_is_not_found():
    assert (await asked(PATHS[0].replace("step-ca", "nobody"), resource="acct:alice@example.org")).status == 404
