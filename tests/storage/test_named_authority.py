"""What a provisioner trusts on one node is protected on all, on both engines, however many changes come at once."""

import asyncio

import pytest
from msgspec.structs import replace

from sealwright.access import SYSTEM, BeyondOwnAuthority, Permission, Permissions
from sealwright.oauth.clients.registry import ClientRegistry
from tests.unit.api.world import PEOPLE, ServerWorld

AT_ONCE = 40
"""More than a node has connections to its database."""


async def nodes_in(databases):
    first, second = (ServerWorld(db, entropy_seed=seed) for db, seed in zip(databases, (7, 11), strict=True))
    await first.seed()
    endpoint = f"{PEOPLE}/oauth2/openid/step/.well-known/openid-configuration"
    definition = {"type": "OIDC", "name": "ops", "clientID": "step", "configurationEndpoint": endpoint, "admins": ["signers"]}
    return first, second, definition


async def test_provisioner_of_one_node_protects_its_group_on_the_other(open_two):
    async with open_two() as databases:
        first, second, definition = await nodes_in(databases)
        ga = replace((await first.person("ga")).as_actor(), permissions=Permissions(frozenset({Permission.GROUP_WRITE})))
        await first.directory.create_group("signers", actor=SYSTEM)
        assert await second.directory.add_members("signers", ["ga"], actor=ga) == ("ga",)
        await first.provisioners.add(definition, SYSTEM)
        with pytest.raises(BeyondOwnAuthority):
            await second.directory.remove_members("signers", ["ga"], actor=ga)
        await first.provisioners.remove("ops", SYSTEM)
        assert await second.directory.remove_members("signers", ["ga"], actor=ga) == ("ga",)


async def test_many_changes_at_once_are_each_judged(open_two):
    async with open_two() as databases:
        first, second, definition = await nodes_in(databases)
        await first.provisioners.add(definition, SYSTEM)
        ga = replace((await first.person("ga")).as_actor(), permissions=Permissions(frozenset({Permission.GROUP_WRITE})))
        names = ["signers" if number % 4 == 0 else f"group-{number}" for number in range(AT_ONCE)]
        outcomes = await asyncio.wait_for(
            asyncio.gather(
                *((first, second)[number % 2].directory.create_group(name, actor=ga) for number, name in enumerate(names)),
                return_exceptions=True,
            ),
            60,
        )
        refused = [isinstance(outcome, BeyondOwnAuthority) for outcome in outcomes]
        assert refused == [name == "signers" for name in names]


async def test_client_that_a_provisioner_began_to_trust_meanwhile_is_not_changed(open_two):
    """The provisioner is stored between the first check and the transaction of the change."""
    async with open_two() as databases:
        first, second, definition = await nodes_in(databases)
        writer = replace((await first.person("ga")).as_actor(), permissions=Permissions(frozenset({Permission.CLIENT_WRITE})))
        for name in ("step", "wiki"):
            await second.oauth.clients.create_public(name, "Client", f"https://{name}.example.org", actor=SYSTEM)

        async def named(reader):
            return await second.provisioners.named_authority(reader) if reader is not second.db else ()

        around, dependencies = second.app.around, second.app.parts.oauth_dependencies
        clients = ClientRegistry(
            dependencies, custody=around.custody, sealer=around.sealer, directory=second.directory, named=named
        )
        await first.provisioners.add(definition, SYSTEM)
        members = {"landing_url": "https://evil.example.org"}
        for change in (
            clients.change("step", members, actor=writer),
            clients.names.rename("step", "stone", even_if_used=True, actor=writer),
            clients.names.rename("wiki", "step", actor=writer),
            clients.update_scope_map("step", "idm_all_persons", ("openid",), actor=writer),
            clients.delete("step", even_if_used=True, actor=writer),
        ):
            with pytest.raises(BeyondOwnAuthority):
                await change
        assert (await clients.get("step", actor=SYSTEM)).landing_url == "https://step.example.org"
