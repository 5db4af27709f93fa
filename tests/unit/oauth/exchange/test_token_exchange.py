"""Tokens that are exchanged for others (RFC 8693): never wider, bound as before, and over with what they were made from."""

from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from sealwright.access import SYSTEM
from sealwright.clock import after, to_seconds
from tests.machines_world import machines_world, refused, thumbprint_of
from tests.oauth_world import ORIGIN, basic, confidential_request, members
from tests.unit.oauth.dpop.test_bound_tokens import OTHER, proof
from tests.unit.oauth.test_resources_and_details import redeemed

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
GATEWAY, BACKEND, FILES = "https://gateway.example.org/", "https://backend.example.org/", "https://files.example.org/"


class Exchanges:
    """A wiki that people sign in to, a gateway to which its tokens are sent, and a service account."""

    def __init__(self, world: Any) -> None:
        self.world = world
        self.secrets: dict[str, Any] = {}
        self.wiki: Any = None
        self.cookie: Any = None
        self.alice: Any = None
        self.robot: Any = None

    async def client(self, name, scopes, **settings):
        secret = await self.world.client(name, scopes=scopes)
        self.secrets[name] = basic(name, secret)
        await self.world.server.clients.change(name, settings, actor=SYSTEM)

    async def exchange(self, client="gateway", headers=None, **form):
        asked = {"grant_type": EXCHANGE, "subject_token_type": ACCESS_TOKEN} | form
        return await self.world.token(self.secrets.get(client, {}) | (headers or {}), **asked)

    async def own_token(self, client, headers=None, **form):
        answer = await self.world.token(self.secrets[client] | (headers or {}), grant_type="client_credentials", **form)
        return members(answer)["access_token"]

    async def introspected(self, client, token):
        return members(await self.world.post("/oauth2/token/introspect", {"token": token}, self.secrets[client]))

    async def claims(self, token, client="gateway"):
        return (await self.world.verified(token, client)).claims

    async def api_token(self, name="robot", **settings):
        return await self.world.app.parts.identity.api_tokens.generate(
            name, f"label {settings}", expires_at=settings.get("expires_at"), read_only=True, actor=SYSTEM
        )

    async def token_of_alice(self, **more):
        request = confidential_request(client_id="wiki", **({"resource": GATEWAY, "scope": "openid read write"} | more))
        return (await redeemed(self.world, self.wiki, self.cookie, request))["access_token"]


@asynccontextmanager
async def exchanges():
    async with machines_world() as world:
        made = Exchanges(world)
        made.wiki = await world.confidential_client("wiki", scopes=("openid", "email", "read", "write"))
        made.secrets["wiki"] = basic(*made.wiki)
        await world.server.clients.change("wiki", {"resources": [GATEWAY, FILES]}, actor=SYSTEM)
        settings = {"token_exchange": True, "own_resources": [GATEWAY], "resources": [BACKEND]}
        await made.client("gateway", ("read", "email", "openid", "audit"), **settings)
        alice = await world.person("alice", groups=("users",))
        made.cookie = await world.sign_in(alice)
        made.alice = alice
        made.robot = await world.directory.create_service_account("robot", "Robot", managed_by=None, actor=SYSTEM)
        await world.directory.add_members("users", ["robot"], actor=SYSTEM)
        yield made


async def test_api_token_of_a_service_account_becomes_an_access_token():
    async with exchanges() as made:
        token = (await made.api_token()).token
        answer = members(await made.exchange(subject_token=token, scope="read", resource=BACKEND))
        assert (answer["issued_token_type"], answer["token_type"], answer["scope"]) == (ACCESS_TOKEN, "Bearer", "read")
        assert not {"refresh_token", "id_token"} & set(answer)
        claims = await made.claims(answer["access_token"])
        assert (claims["sub"], claims["aud"], claims["client_id"]) == (made.robot.id, BACKEND, "gateway")
        told = await made.introspected("gateway", answer["access_token"])
        assert (told["active"], told["username"], told["scope"]) == (True, "robot@example.org", "read")


async def test_api_token_that_only_reads_becomes_no_access_token_that_changes_this_server():
    async with exchanges() as made:
        clients = made.world.server.clients
        await clients.change("gateway", {"resources": [ORIGIN]}, actor=SYSTEM)
        await clients.update_scope_map("gateway", "users", ("sealwright_read", "sealwright_change"), actor=SYSTEM)
        api_tokens = made.world.app.parts.identity.api_tokens
        writing = await api_tokens.generate("robot", "writing", expires_at=None, read_only=False, actor=SYSTEM)
        asked = {"resource": ORIGIN, "scope": "sealwright_change"}
        reading = (await made.api_token()).token
        assert refused(await made.exchange(subject_token=reading, **asked)) == (400, "invalid_scope")
        assert members(await made.exchange(subject_token=reading, resource=ORIGIN))["scope"] == "sealwright_read"
        assert members(await made.exchange(subject_token=writing.token, **asked))["scope"] == "sealwright_change"


async def test_public_client_exchanges_api_tokens_and_no_tokens_of_others():
    async with exchanges() as made:
        await made.world.public_client("jobs", scopes=("run",))
        await made.world.server.clients.change("jobs", {"token_exchange": True, "own_resources": [GATEWAY]}, actor=SYSTEM)
        token = (await made.api_token()).token
        answer = members(await made.exchange("jobs", client_id="jobs", subject_token=token))
        assert answer["scope"] == "run"
        assert refused(await made.exchange("jobs", client_id="jobs", subject_token=await made.token_of_alice())) == (
            400,
            "invalid_request",
        )


async def test_exchange_has_to_be_allowed_to_the_client():
    async with exchanges() as made:
        answer = await made.exchange("wiki", subject_token=(await made.api_token()).token)
        assert refused(answer) == (400, "unauthorized_client")
        assert "enable-token-exchange wiki" in members(answer)["error_description"]
        configuration = "/oauth2/openid/{}/.well-known/openid-configuration"
        for client, allowed in (("wiki", False), ("gateway", True)):
            metadata = members(await made.world.call("GET", configuration.format(client)))
            assert (EXCHANGE in metadata["grant_types_supported"]) is allowed


async def test_token_that_is_addressed_to_the_client_becomes_a_narrower_one_for_another_server():
    async with exchanges() as made:
        token = await made.token_of_alice()
        answer = members(await made.exchange(subject_token=token, resource=BACKEND))
        assert answer["scope"] == "read"  # what the token has and the maps of the gateway give; no ID token, so no openid
        claims = await made.claims(answer["access_token"])
        assert (claims["sub"], claims["aud"]) == (made.alice.id, BACKEND)
        assert claims["exp"] <= (await made.claims(token, "wiki"))["exp"]
        assert "act" not in claims
        bearer = {"authorization": f"Bearer {answer['access_token']}"}
        assert (await made.world.call("GET", "/oauth2/openid/gateway/userinfo", headers=bearer)).status == 401


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"scope": "write"}, "invalid_scope"),  # the maps of the gateway do not give it
        ({"scope": "audit"}, "invalid_scope"),  # the token does not have it
        ({"scope": "openid"}, "invalid_scope"),
        ({"scope": "read offline_access"}, "invalid_scope"),
        ({"resource": FILES}, "invalid_target"),  # not registered for the gateway
        ({"audience": "wiki"}, "invalid_target"),
        ({"requested_token_type": "urn:ietf:params:oauth:token-type:refresh_token"}, "invalid_request"),
        ({"subject_token_type": "urn:ietf:params:oauth:token-type:id_token"}, "invalid_request"),
        ({"actor_token_type": ACCESS_TOKEN}, "invalid_request"),
        ({"subject_token": "opaque.nothing"}, "invalid_request"),
        ({"subject_token": "sealwright_api_guess"}, "invalid_request"),
        ({"subject_token": ""}, "invalid_request"),
    ],
)
async def test_exchange_never_widens_and_says_what_was_wrong(asked, error):
    async with exchanges() as made:
        answer = await made.exchange(**({"subject_token": await made.token_of_alice()} | asked))
        assert refused(answer) == (400, error)
        assert members(answer)["error_description"]
        assert not [each for each in await made.world.events("token.issued") if each[2]["grant_type"] == EXCHANGE]


async def test_client_narrows_its_own_token_to_one_of_its_resources_and_to_no_other():
    async with exchanges() as made:
        await made.world.server.clients.change("wiki", {"token_exchange": True}, actor=SYSTEM)
        request = confidential_request(client_id="wiki", scope="openid read write", resource=FILES)
        token = (await redeemed(made.world, made.wiki, made.cookie, request))["access_token"]
        assert (await made.claims(token, "wiki"))["aud"] == FILES
        narrowed = members(await made.exchange("wiki", subject_token=token, scope="read"))["access_token"]
        assert [(await made.claims(narrowed, "wiki"))[each] for each in ("aud", "scope")] == [FILES, "read"]
        assert refused(await made.exchange("wiki", subject_token=token, resource=GATEWAY)) == (400, "invalid_target")
        again = await made.exchange("wiki", subject_token=narrowed, scope="write")
        assert refused(again) == (400, "invalid_scope")


async def test_token_for_someone_else_is_not_exchanged():
    async with exchanges() as made:
        await made.client("stranger", ("read",), token_exchange=True, resources=[BACKEND])
        answer = await made.exchange("stranger", subject_token=await made.token_of_alice())
        assert refused(answer) == (400, "invalid_request")
        assert "add-own-resource stranger" in members(answer)["error_description"]


async def test_exchanged_token_ends_no_later_than_what_it_was_made_from():
    async with exchanges() as made:
        ends = after(made.world.clock.now(), timedelta(seconds=90))
        token = (await made.api_token(expires_at=ends)).token
        answer = members(await made.exchange(subject_token=token))
        assert answer["expires_in"] == 90
        assert (await made.claims(answer["access_token"]))["exp"] == to_seconds(ends)
        mine = await made.own_token("gateway")
        made.world.clock.advance(timedelta(seconds=599))
        assert members(await made.exchange(subject_token=mine))["expires_in"] == 1
        made.world.clock.advance(timedelta(milliseconds=500))
        assert refused(await made.exchange(subject_token=mine)) == (400, "invalid_grant")


async def revoke_api_token(made, api_token):
    await made.world.app.parts.identity.api_tokens.revoke("robot", api_token.described.id, actor=SYSTEM)


async def disable_robot(made, _):
    await made.world.directory.disable("robot", actor=SYSTEM)


async def delete_robot(made, _):
    await made.world.directory.delete("robot", actor=SYSTEM)


async def leave_group(made, _):
    await made.world.directory.remove_members("users", ["robot"], actor=SYSTEM)


@pytest.mark.parametrize("end", [revoke_api_token, disable_robot, delete_robot, leave_group], ids=lambda each: each.__name__)
async def test_exchanged_token_ends_with_the_api_token_and_its_account_on_every_node(end):
    async with exchanges() as made:
        api_token = await made.api_token()
        token = members(await made.exchange(subject_token=api_token.token))["access_token"]
        other = Exchanges(made.world.other_machines())
        other.secrets = made.secrets
        assert (await other.introspected("gateway", token))["active"]
        await end(made, api_token)
        assert await other.introspected("gateway", token) == {"active": False}


async def revoke_at_the_wiki(made, token):
    await made.world.post("/oauth2/token/revoke", {"token": token}, made.secrets["wiki"])


async def sign_out(made, _):
    await made.world.sessions.end((await made.world.signed_in(made.cookie)).session.id, "a test", actor=SYSTEM)


async def delete_the_wiki(made, _):
    await made.world.server.clients.delete("wiki", actor=SYSTEM)


@pytest.mark.parametrize("end", [revoke_at_the_wiki, sign_out, delete_the_wiki], ids=lambda each: each.__name__)
async def test_exchanged_token_ends_with_the_authorization_that_it_comes_from_however_often_it_was_exchanged(end):
    async with exchanges() as made:
        await made.client("backend", ("read",), token_exchange=True, own_resources=[BACKEND])
        token = await made.token_of_alice()
        second = members(await made.exchange(subject_token=token, resource=BACKEND))["access_token"]
        third = members(await made.exchange("backend", subject_token=second))["access_token"]
        assert (await made.introspected("backend", third))["active"]
        await end(made, token)
        assert await made.introspected("gateway", second) == {"active": False}
        assert await made.introspected("backend", third) == {"active": False}
        assert refused(await made.exchange(subject_token=token, resource=BACKEND)) == (400, "invalid_request")


async def test_one_who_acts_is_named_and_those_who_acted_before_stand_behind():
    async with exchanges() as made:
        await made.client("backend", ("read",), token_exchange=True, own_resources=[BACKEND])
        robot = (await made.api_token()).token
        first = members(
            await made.exchange(
                subject_token=await made.token_of_alice(), resource=BACKEND, actor_token=robot, actor_token_type=ACCESS_TOKEN
            )
        )["access_token"]
        assert (await made.claims(first))["act"] == {"sub": made.robot.id}
        mine = await made.own_token("backend")
        second = members(await made.exchange("backend", subject_token=first, actor_token=mine, actor_token_type=ACCESS_TOKEN))[
            "access_token"
        ]
        claims = await made.claims(second, "backend")
        backend = (await made.claims(mine, "backend"))["sub"]
        assert claims["sub"] == made.alice.id
        assert claims["act"] == {"sub": backend, "client_id": "backend", "act": {"sub": made.robot.id}}
        assert (await made.introspected("backend", second))["act"] == claims["act"]
        await disable_robot(made, None)
        assert await made.introspected("backend", second) == {"active": False}


async def test_may_act_lets_no_one_else_act():
    async with exchanges() as made:
        await made.world.server.clients.change("wiki", {"may_act": made.robot.id}, actor=SYSTEM)
        token, robot = await made.token_of_alice(), (await made.api_token()).token
        assert (await made.claims(token, "wiki"))["may_act"] == {"sub": made.robot.id}
        asked = {"subject_token": token, "actor_token_type": ACCESS_TOKEN}
        assert refused(await made.exchange(subject_token=token)) == (400, "invalid_request")
        assert refused(await made.exchange(**asked, actor_token=await made.own_token("gateway"))) == (400, "invalid_request")
        assert members(await made.exchange(**asked, actor_token=robot))["scope"] == "read"


async def test_token_of_another_client_does_not_make_an_actor():
    async with exchanges() as made:
        await made.client("stranger", ("read",))
        answer = await made.exchange(
            subject_token=await made.token_of_alice(),
            actor_token=await made.own_token("stranger"),
            actor_token_type=ACCESS_TOKEN,
        )
        assert refused(answer) == (400, "invalid_request")


async def test_bound_token_is_exchanged_by_its_holder_with_the_same_key_alone():
    async with exchanges() as made:
        world = made.world
        token = await made.own_token("gateway", proof(world))
        assert refused(await made.exchange(subject_token=token)) == (400, "invalid_request")
        assert refused(await made.exchange(subject_token=token, headers=proof(world, key=OTHER))) == (400, "invalid_request")
        again = proof(world)
        answer = members(await made.exchange(subject_token=token, headers=again))
        assert answer["token_type"] == "DPoP"
        assert (await made.claims(answer["access_token"]))["cnf"] == (await made.claims(token))["cnf"]


async def test_bound_token_of_another_becomes_no_token_that_anyone_can_use_and_ends_with_its_certificate():
    async with exchanges() as made:
        world = made.world
        await made.client("billing", ("read",), resources=[GATEWAY], tls_client_certificate_bound_access_tokens=True)
        theirs, mine = await world.certificate("billing.example.org"), await world.certificate("gateway.example.org")
        form = {"grant_type": "client_credentials", "resource": GATEWAY}
        token = members(await world.token(made.secrets["billing"], certificate=theirs, **form))["access_token"]
        assert refused(await made.exchange(subject_token=token)) == (400, "invalid_request")
        await world.server.clients.change("gateway", {"tls_client_certificate_bound_access_tokens": True}, actor=SYSTEM)
        asked = {"grant_type": EXCHANGE, "subject_token": token, "subject_token_type": ACCESS_TOKEN}
        got = members(await world.token(made.secrets["gateway"], certificate=mine, **asked))["access_token"]
        assert (await made.claims(got))["cnf"] == {"x5t#S256": thumbprint_of(mine)}
        assert (await made.introspected("gateway", got))["active"]
        await world.revoke(theirs)
        assert await made.introspected("gateway", got) == {"active": False}


async def test_exchanges_follow_one_another_a_few_times_only():
    async with exchanges() as made:
        token = await made.own_token("gateway")
        for _ in range(4):
            token = members(await made.exchange(subject_token=token))["access_token"]
        answer = await made.exchange(subject_token=token)
        assert refused(answer) == (400, "invalid_request")
        assert "4 times" in members(answer)["error_description"]


async def test_record_names_both_parties_of_an_exchange_and_of_a_refusal():
    async with exchanges() as made:
        api_token = await made.api_token()
        asked = {"subject_token": await made.token_of_alice(), "actor_token": api_token.token, "actor_token_type": ACCESS_TOKEN}
        await made.exchange(**asked)
        await made.exchange(**asked, scope="write")
        parties = {"subject": made.alice.id, "subject_name": "alice", "subject_client": "wiki", "acting": made.robot.id}
        issued = [details for _, _, details in await made.world.events("token.issued") if details["grant_type"] == EXCHANGE]
        rejected = [
            details for _, _, details in await made.world.events("token.refused") if details.get("grant_type") == EXCHANGE
        ]
        assert len(issued) == len(rejected) == 1
        for details in (*issued, *rejected):
            assert parties.items() <= details.items()
            assert details["acting_api_token"] == api_token.described.id
            assert api_token.token not in msgspec.json.encode(details).decode()
        assert "write" in rejected[0]["reason"]


async def test_refusals_that_differ_in_what_the_client_wrote_alone_share_a_row():
    async with exchanges() as made:
        for number in range(5):
            answer = await made.exchange(subject_token="opaque.nothing", requested_token_type=f"urn:made-up:{number}")
            assert refused(answer) == (400, "invalid_request")
        rows = [details for _, _, details in await made.world.events("token.refused") if details.get("grant_type") == EXCHANGE]
        assert len(rows) == 1


async def test_opaque_token_is_exchanged_like_any_other():
    async with exchanges() as made:
        await made.world.server.clients.change("gateway", {"access_token_format": "opaque"}, actor=SYSTEM)
        token = await made.own_token("gateway")
        got = members(await made.exchange(subject_token=token))["access_token"]
        told = await made.introspected("gateway", got)
        assert (told["active"], told["sub"]) == (True, (await made.introspected("gateway", token))["sub"])
