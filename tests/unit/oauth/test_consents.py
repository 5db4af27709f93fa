"""Which clients a person is shown."""

from sealwright.access import SYSTEM
from sealwright.oauth.store import GROUPS_AT_ONCE
from tests.oauth_world import WEB, oauth_world

MANY = GROUPS_AT_ONCE + 8


async def test_clients_of_every_group_of_a_person_are_found_however_many_groups_there_are():
    async with oauth_world() as world:
        groups = tuple(f"group_{number}" for number in range(MANY))
        account = await world.person("ann", groups=groups)
        clients = world.server.clients
        for number in range(0, MANY, 5):
            name = f"client-{number:03}"
            await clients.create_public(name, name, WEB, actor=SYSTEM)
            await clients.update_scope_map(name, f"group_{number}", ("openid",), actor=SYSTEM)
        await world.directory.create_group("others", actor=SYSTEM)
        await clients.create_public("hidden", "Hidden", WEB, actor=SYSTEM)
        await clients.update_scope_map("hidden", "others", ("openid",), actor=SYSTEM)
        signed_in = await world.signed_in(await world.sign_in(account))
        found = await world.server.consents.available_clients(signed_in)
        assert [each.display_name for each in found] == [f"client-{number:03}" for number in range(0, MANY, 5)]
