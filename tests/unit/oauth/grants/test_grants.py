"""The one list of grant types: what it names is served, told in the metadata and written in the reference."""

import pytest

from sealwright.access import SYSTEM
from sealwright.oauth.grants import GRANTS
from sealwright.oauth.grants.registered import SWITCHES
from tests.architecture.test_budgets import SOURCE
from tests.oauth_world import basic, members, oauth_world

NAMES = [grant.grant_type for grant in GRANTS]


async def test_metadata_names_every_grant_type_and_the_endpoint_serves_it():
    async with oauth_world() as world:
        _, secret = await world.confidential_client()
        switched = dict.fromkeys(SWITCHES.values(), True)
        await world.server.clients.change("wiki", switched, actor=SYSTEM)
        metadata = members(await world.call("GET", "/oauth2/openid/wiki/.well-known/openid-configuration"))
        assert metadata["grant_types_supported"] == NAMES
        for name in NAMES:
            answer = members(await world.token(basic("wiki", secret), grant_type=name))
            assert answer.get("error") != "unsupported_grant_type"


@pytest.mark.parametrize("grant", GRANTS)
def test_reference_names_every_grant_type(grant):
    page = (SOURCE.parents[1] / "docs" / "reference" / "grants.md").read_text()
    assert f"| `{grant.grant_type}` | {grant.standard} |" in page
