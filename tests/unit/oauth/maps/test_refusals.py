"""What someone may not do with the maps of a client is on record, and tells nothing of groups."""

import json

import pytest

from sealwright.access import SYSTEM
from sealwright.errors import NotPermitted
from tests.unit.api.world import server_world

VERBS = [
    ("update_supplementary_scope_map", ("no-such-group", ["extra"])),
    ("delete_supplementary_scope_map", ("no-such-group",)),
    ("update_claim_map", ("level", "no-such-group", ["gold"])),
    ("delete_claim_map", ("level", "no-such-group")),
]


@pytest.mark.parametrize(("verb", "arguments"), VERBS, ids=lambda each: each if isinstance(each, str) else "")
async def test_refused_change_of_a_map_is_recorded_before_anything_is_told_of_groups(verb, arguments):
    async with server_world() as world:
        await world.oauth.clients.create_public("wiki", "Wiki", "https://wiki.example.org", actor=SYSTEM)
        mallory = await world.actor("mallory")
        with pytest.raises(NotPermitted):
            await getattr(world.oauth.client_maps, verb)("wiki", *arguments, actor=mallory)
        refused = [json.loads(details) for event, outcome, details in await world.events() if outcome == "refused"]
        assert any("client:write" in each["reason"] for each in refused)
