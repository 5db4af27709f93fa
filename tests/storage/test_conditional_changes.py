"""Two who change the same version of an object at the same time: one of them is told that the other was faster."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.unit.api.world import ServerWorld


@asynccontextmanager
async def two_servers(open_two) -> AsyncIterator[tuple[ServerWorld, ServerWorld, str]]:
    """Two servers on one database, and the token of an administrator."""
    async with open_two() as (first_db, second_db):
        first = ServerWorld(first_db)
        second = ServerWorld(second_db, clock=first.clock, entropy_seed=8)
        await first.seed()
        yield first, second, await first.token("root", "system_admins", "idm_admins")


async def version_of(world, path, token):
    """The header that asks for the version that stands at `path`."""
    shown = await world.send("GET", path, token=token)
    return {"if-match": dict(shown.headers)["etag"]}


async def test_of_two_changes_of_one_version_one_is_made(open_two):
    async with two_servers(open_two) as (first, second, token):
        await first.call("POST", "/groups", {"name": "ops"}, token=token)
        for attempt in range(5):
            headers = await version_of(first, "/groups/ops", token)
            answers = await asyncio.gather(
                first.call("PATCH", "/groups/ops", {"description": f"first {attempt}"}, token=token, headers=headers),
                second.call("PATCH", "/groups/ops", {"description": f"second {attempt}"}, token=token, headers=headers),
            )
            statuses = sorted(status for status, _ in answers)
            assert statuses == [200, 412], answers
            made = next(body for status, body in answers if status == 200)
            assert (await first.call("GET", "/groups/ops", token=token))[1]["description"] == made["description"]


async def test_of_two_lists_of_members_for_one_version_of_a_group_one_is_set(open_two):
    async with two_servers(open_two) as (first, second, token):
        for name in ("alice", "bob"):
            await first.call("POST", "/persons", {"name": name, "display_name": name}, token=token)
        await first.call("POST", "/groups", {"name": "ops"}, token=token)
        for _ in range(3):
            headers = await version_of(first, "/groups/ops", token)
            answers = await asyncio.gather(
                first.call("PUT", "/groups/ops/members", {"members": ["alice"]}, token=token, headers=headers),
                second.call("PUT", "/groups/ops/members", {"members": ["bob"]}, token=token, headers=headers),
            )
            assert sorted(status for status, _ in answers) == [200, 412], answers
            await first.call("PUT", "/groups/ops/members", {"members": []}, token=token)


async def test_of_changes_of_two_rules_of_one_version_of_an_issuer_one_is_made(open_two):
    async with two_servers(open_two) as (first, second, token):
        client = {"name": "job", "display_name": "Job", "landing_url": "https://job.example.org", "kind": "confidential"}
        await first.call("POST", "/oauth2/clients", client, token=token)
        await first.call("POST", "/oauth2/trusted-issuers", {"name": "ci", "issuer_url": "https://ci.example.org"}, token=token)
        rules = []
        for number in range(2):
            rule = {"client": "job", "conditions": {"sub": f"{number}"}}
            status, made = await first.call("POST", "/oauth2/trusted-issuers/ci/rules", rule, token=token)
            assert status == 201, made
            rules.append(f"/oauth2/trusted-issuers/ci/rules/{made['id']}")
        for attempt in range(5):
            headers = await version_of(first, "/oauth2/trusted-issuers/ci", token)
            answers = await asyncio.gather(
                first.call("PATCH", rules[0], {"lifetime_seconds": 60 + attempt}, token=token, headers=headers),
                second.call("PATCH", rules[1], {"lifetime_seconds": 60 + attempt}, token=token, headers=headers),
            )
            assert sorted(status for status, _ in answers) == [200, 412], answers
