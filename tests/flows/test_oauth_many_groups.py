"""A person in more groups than a token can tell: the request is refused, and what was presented is still valid."""

from datetime import timedelta

from sealwright.access import SYSTEM
from sealwright.jose import LONGEST_TOKEN
from tests.oauth_world import CALLBACK, basic, confidential_request, members, oauth_world, public_redemption, public_request

SCOPES = ("openid", "email", "groups")
NAMES = [f"department-{number:04}-of-the-division-for-everything-else-there-is" for number in range(420)]
assert sum(map(len, NAMES)) > LONGEST_TOKEN * 3 // 4


async def join_all(world, person):
    for name in NAMES:
        await world.directory.create_group(name, actor=SYSTEM)
        await world.directory.add_members(name, [person], actor=SYSTEM)


async def leave_some(world, person):
    for name in NAMES[:100]:
        await world.directory.remove_members(name, [person], actor=SYSTEM)


def require_too_long(answer):
    assert answer.status == 400, answer.body
    told = members(answer)
    assert told["error"] == "invalid_scope"
    assert "The ID token would be too long" in told["error_description"]
    assert "Most of it is the claim groups; ask without the scope" in told["error_description"]


async def test_code_whose_token_would_be_too_long_is_not_used_up():
    async with oauth_world() as world:
        alice = await world.person("alice", groups=("users",))
        await world.public_client(scopes=SCOPES)
        await join_all(world, "alice")
        code = await world.code(await world.sign_in(alice), **public_request(scope=" ".join(SCOPES)))
        for _ in range(2):
            require_too_long(await world.token(**public_redemption(code)))
        await leave_some(world, "alice")
        told = members(await world.token(**public_redemption(code)))
        claims = (await world.verified(told["id_token"], "step-ca")).claims
        assert claims["groups"] == sorted([*NAMES[100:], "users"])
        assert (await world.token(**public_redemption(code))).status == 400, "a code is still valid only once"


async def test_refresh_token_whose_successor_would_come_with_a_token_too_long_is_not_used_up():
    async with oauth_world() as world:
        alice = await world.person("alice", groups=("users",))
        name, secret = await world.confidential_client(scopes=SCOPES)
        code = await world.code(await world.sign_in(alice), **confidential_request(scope=" ".join(SCOPES)))
        redemption = public_redemption(code, client_id=name, client_secret=secret, redirect_uri=CALLBACK)
        used = members(await world.token(**redemption))["refresh_token"]

        async def refresh(scope=""):
            return await world.token(basic(name, secret), grant_type="refresh_token", refresh_token=used, scope=scope)

        await join_all(world, "alice")
        require_too_long(await refresh())
        world.clock.advance(timedelta(minutes=1))  # a second use would end the family by now
        require_too_long(await refresh())
        told = members(await refresh("openid email"))
        assert "groups" not in (await world.verified(told["id_token"], name)).claims
