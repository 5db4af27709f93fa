"""Access tokens of service accounts and of clients as what a certificate is given for."""

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from sealwright.access import SYSTEM, Actor, BeyondOwnAuthority, Permission, Permissions
from tests.authorities import common_name_in, csr, der_of, leaf_of, names_in
from tests.machines_world import MACHINES, client_key, machines_world
from tests.oauth_world import CALLBACK, basic, confidential_request, members
from tests.unit.oauth.dpop.test_bound_tokens import MINE, proof
from tests.unit.oauth.test_resources_and_details import redeemed

AUDIENCE, OTHER = "https://ca.example.org/jobs", "https://api.example.org/"
SIGN = "/1.0/sign"
SHOP, SPIFFE, BACKUP = "shop.example.org", "spiffe://example.org/shop", "backup.example.org"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"


class Place:
    """A provisioner of access tokens, a client that gets tokens for itself, and a service account with an API token."""

    def __init__(self, world, robot, secret, api_token):
        self.world, self.robot, self.secret, self.api_token = world, robot, secret, api_token
        self.client, self.ca = basic("backup", secret), world.ca

    async def own_token(self, headers=None, certificate=None, **form):
        asked = {"grant_type": "client_credentials", "resource": AUDIENCE, "scope": "certificate"} | form
        answer = members(await self.world.token(self.client | (headers or {}), certificate=certificate, **asked))
        return answer["access_token"]

    async def robots_token(self, **form):
        exchanged = {"grant_type": EXCHANGE, "subject_token": self.api_token, "subject_token_type": ACCESS_TOKEN}
        return await self.own_token(**exchanged, **form)

    async def sign(self, token, *names, common_name="", private=None, headers=None, certificate=None):
        request = csr(common_name, names, private=private or ec.generate_private_key(ec.SECP256R1()))
        body = {"csr": request, "ott": token}
        return await self.ca.call("POST", SIGN, body, headers=headers, certificate=certificate)

    async def refused(self, token, *names, **more):
        status, answer = await self.sign(token, *names, **more)
        assert status in (401, 403), answer
        return answer["message"]

    async def renew(self, certificate):
        return await self.ca.call("POST", "/1.0/renew", {}, certificate=certificate)


@asynccontextmanager
async def place(**settings):
    async with machines_world() as world:
        robot = await world.directory.create_service_account("robot", "Robot", managed_by=None, actor=SYSTEM)
        await world.directory.create_group("deployers", actor=SYSTEM)
        await world.directory.add_members("deployers", ["robot"], actor=SYSTEM)
        clients = world.server.clients
        changes = {"resources": (AUDIENCE, OTHER), "token_exchange": True} | settings
        await clients.create_confidential("backup", "Backup", "https://backup.example.org", members=changes, actor=SYSTEM)
        await clients.update_scope_map("backup", "deployers", ("certificate", "read"), actor=SYSTEM)
        secret = await clients.secrets.show_basic_secret("backup", actor=SYSTEM)
        made = await world.app.parts.identity.api_tokens.generate("robot", "ci", expires_at=None, read_only=True, actor=SYSTEM)
        holders = [{"account": robot.id, "names": [SHOP, SPIFFE]}, {"client": "backup", "names": [BACKUP]}]
        definition = {"type": "ACCESS-TOKEN", "name": "jobs", "audience": AUDIENCE, "holders": holders}
        await world.app.parts.ca.provisioners.add(definition, SYSTEM)
        yield Place(world, robot, secret, made.token)


async def test_token_of_a_client_becomes_a_certificate_with_its_names():
    async with place() as made:
        status, answer = await made.sign(await made.own_token(), BACKUP, common_name=BACKUP)
    assert status == 201, answer
    assert (names_in(leaf_of(answer)), common_name_in(leaf_of(answer))) == ([BACKUP], BACKUP)


async def test_exchanged_token_of_a_service_account_becomes_a_certificate_with_the_names_that_are_asked_for():
    async with place() as made:
        _, some = await made.sign(await made.robots_token(), SPIFFE)
        _, everything = await made.sign(await made.robots_token())
    assert names_in(leaf_of(some)) == [SPIFFE]
    assert names_in(leaf_of(everything)) == [SHOP, SPIFFE]


async def test_names_of_others_are_refused_and_use_nothing_up():
    async with place() as made:
        token = await made.robots_token()
        for name in (BACKUP, "other.example.org", "*.example.org"):
            assert name in await made.refused(token, name)
        assert BACKUP in await made.refused(token, SHOP, common_name=BACKUP)
        status, _ = await made.sign(token, SHOP)
    assert status == 201


async def test_each_token_is_good_for_one_certificate_on_every_node():
    async with place() as made:
        token = await made.own_token()
        other = Place(made.world.other_machines(), made.robot, made.secret, made.api_token)
        answers = await asyncio.gather(*(each.sign(token, BACKUP) for each in (made, other) * 2))
    assert sorted(status for status, _ in answers) == [201, 401, 401, 401]
    assert all("used before" in answer["message"] for status, answer in answers if status != 201)


@pytest.mark.parametrize(
    ("form", "words"),
    [({"resource": OTHER}, "does not exist"), ({"resource": ""}, "does not exist"), ({"scope": "read"}, "scope certificate")],
)
async def test_token_that_was_not_asked_for_this_is_refused(form, words):
    async with place() as made:
        said = await made.refused(await made.own_token(**form), BACKUP)
    assert words in said


async def test_token_for_several_servers_is_refused():
    async with place() as made:
        form = [("grant_type", "client_credentials"), ("scope", "certificate"), ("resource", AUDIENCE), ("resource", OTHER)]
        token = members(await made.world.post("/oauth2/token", form, made.client))["access_token"]
        said = await made.refused(token, BACKUP)
    assert "alone" in said


async def test_token_of_a_person_and_one_of_someone_who_acts_for_another_are_refused():
    async with place() as made:
        world = made.world
        await world.server.clients.update_scope_map("backup", "users", ("openid", "certificate"), actor=SYSTEM)
        await world.server.clients.change("backup", {"redirect_uris": (CALLBACK,)}, actor=SYSTEM)
        alice = await world.person("alice", groups=("users",))
        request = confidential_request(client_id="backup", resource=AUDIENCE, scope="openid certificate")
        cookie = await world.sign_in(alice)
        hers = (await redeemed(world, ("backup", made.secret), cookie, request))["access_token"]
        acting = await made.robots_token(actor_token=await made.own_token(resource=""), actor_token_type=ACCESS_TOKEN)
        assert "speaks of a person" in await made.refused(hers, BACKUP)
        assert "acts for another" in await made.refused(acting, SHOP)


async def test_token_that_was_exchanged_for_that_of_another_client_is_refused():
    gateway = "https://gateway.example.org/"
    async with place(own_resources=[gateway]) as made:
        clients = made.world.server.clients
        settings = {"resources": [gateway]}
        await clients.create_confidential("front", "Front", "https://front.example.org", members=settings, actor=SYSTEM)
        await clients.update_scope_map("front", "deployers", ("certificate",), actor=SYSTEM)
        front = basic("front", await clients.secrets.show_basic_secret("front", actor=SYSTEM))
        asked = {"grant_type": "client_credentials", "resource": gateway}
        fronts = members(await made.world.token(front, **asked))["access_token"]
        exchanged = {"grant_type": EXCHANGE, "subject_token": fronts, "subject_token_type": ACCESS_TOKEN}
        assert "another client" in await made.refused(await made.own_token(**exchanged), BACKUP)


async def test_token_that_is_bound_to_a_key_is_taken_with_a_request_of_that_key_or_a_proof_by_it():
    async with place(dpop_bound_access_tokens=True) as made:
        token = await made.own_token(proof(made.world))
        assert "bound to another key" in await made.refused(token, BACKUP)
        other = proof(made.world, SIGN, key=client_key("EdDSA"), access_token=token)
        assert "another key" in await made.refused(token, BACKUP, headers=other)
        shown = proof(made.world, SIGN, access_token=token, htu=MACHINES + SIGN)
        assert (await made.sign(token, BACKUP, headers=shown))[0] == 201
        token = await made.own_token(proof(made.world))
        assert (await made.sign(token, BACKUP, private=MINE.private_key))[0] == 201


async def test_proof_without_the_nonce_that_the_client_needs_is_told_the_nonce():
    async with place(dpop_bound_access_tokens=True, require_dpop_nonce=True) as made:
        asked = {"grant_type": "client_credentials", "resource": AUDIENCE, "scope": "certificate"}
        nonce = dict((await made.world.token(made.client | proof(made.world), **asked)).headers)["dpop-nonce"]
        token = await made.own_token(proof(made.world, nonce=nonce))
        body = {"csr": csr(BACKUP, (BACKUP,), private=ec.generate_private_key(ec.SECP256R1())), "ott": token}
        shown = proof(made.world, SIGN, access_token=token, htu=MACHINES + SIGN)
        refused = await made.ca.respond("POST", SIGN, body, headers=shown)
        nonce = dict(refused.headers)["dpop-nonce"]
        shown = proof(made.world, SIGN, access_token=token, htu=MACHINES + SIGN, nonce=nonce)
        assert (refused.status, (await made.sign(token, BACKUP, headers=shown))[0]) == (401, 201)


async def test_token_that_is_bound_to_a_certificate_is_taken_with_that_alone():
    async with place(tls_client_certificate_bound_access_tokens=True) as made:
        mine, other = await made.world.certificate("a.example.org"), await made.world.certificate("b.example.org")
        token = await made.own_token(certificate=mine)
        assert "client certificate" in await made.refused(token, BACKUP)
        assert "client certificate" in await made.refused(token, BACKUP, certificate=other)
        assert (await made.sign(token, BACKUP, certificate=mine))[0] == 201


async def test_token_opens_nothing_once_its_account_its_group_or_its_source_is_gone():
    async with place() as made:
        world = made.world
        tokens = [await made.robots_token() for _ in range(3)]
        await world.directory.remove_members("deployers", ["robot"], actor=SYSTEM)
        assert "scope certificate" in await made.refused(tokens[0], SHOP)
        await world.directory.add_members("deployers", ["robot"], actor=SYSTEM)
        [source] = await world.app.parts.identity.api_tokens.list_of("robot", actor=SYSTEM)
        await world.app.parts.identity.api_tokens.revoke("robot", source.id, actor=SYSTEM)
        assert "revoked" in await made.refused(tokens[1], SHOP)
        await world.directory.disable("robot", actor=SYSTEM)
        assert "revoked" in await made.refused(tokens[2], SHOP)


async def test_token_opens_nothing_once_it_is_revoked_or_over():
    async with place() as made:
        revoked, late = await made.own_token(), await made.own_token()
        await made.world.post("/oauth2/token/revoke", {"token": revoked}, made.client)
        assert "revoked" in await made.refused(revoked, BACKUP)
        made.world.clock.advance(timedelta(minutes=11))
        assert "expired" in await made.refused(late, BACKUP)


async def test_certificate_ends_with_the_account_and_with_the_client():
    async with place() as made:
        world = made.world
        robots = der_of((await made.sign(await made.robots_token(), SHOP))[1])
        clients = der_of((await made.sign(await made.own_token(), BACKUP))[1])
        for name, san in (("of-robot", SHOP), ("of-client", BACKUP)):
            method = {"token_endpoint_auth_method": "tls_client_auth", "tls_client_auth_san_dns": san}
            await world.client(name, **method)
        shown = {"of-robot": robots, "of-client": clients}

        async def statuses():
            return [(await world.own_token(der, client_id=name)).status for name, der in shown.items()]

        assert await statuses() == [200, 200]
        assert [(await made.renew(each))[0] for each in shown.values()] == [201, 201]
        await world.directory.disable("robot", actor=SYSTEM)
        assert await statuses() == [401, 200]
        await world.server.clients.delete("backup", even_if_used=True, actor=SYSTEM)
        assert await statuses() == [401, 401]
        assert [(await made.renew(each))[0] for each in shown.values()] == [403, 403]


async def test_certificate_is_not_renewed_with_a_name_that_is_listed_no_more():
    async with place() as made:
        certificate = der_of((await made.sign(await made.own_token(), BACKUP))[1])
        provisioners = made.world.app.parts.ca.provisioners
        await provisioners.remove("jobs", SYSTEM)
        holders = [{"client": "backup", "names": ["another.example.org"]}]
        definition = {"type": "ACCESS-TOKEN", "name": "jobs", "audience": AUDIENCE, "holders": holders}
        await provisioners.add(definition, SYSTEM)
        status, answer = await made.renew(certificate)
    assert (status, BACKUP in answer["message"]) == (403, True)


async def test_record_leads_from_the_exchange_to_the_serial_number():
    async with place() as made:
        await made.sign(await made.robots_token(), SHOP)
        issued = (await made.world.events("token.issued"))[-1][2]
        [(_, _, intended)] = await made.world.events("certificate.intended")
    assert issued["subject_name"] == "robot"
    assert (intended["family"], intended["access_token"]) == (issued["family"], issued["access_token"])
    assert (intended["client"], issued["subject"]) == ("backup", made.robot.id)


async def test_list_that_anyone_reads_does_not_tell_who_may_have_which_names():
    async with place() as made:
        _, answer = await made.ca.call("GET", "/1.0/provisioners")
        [shown] = [each for each in answer["provisioners"] if each["type"] == "ACCESS-TOKEN"]
    assert set(shown) == {"type", "name", "audience"}


async def test_listed_client_and_account_are_changed_by_those_alone_who_may_have_any_name():
    async with place() as made:
        world = made.world
        held = frozenset({Permission.CLIENT_WRITE, Permission.PERSON_WRITE})
        admin = Actor("person", (await world.person("admin")).id, "admin", Permissions(held))
        with pytest.raises(BeyondOwnAuthority):
            await world.server.clients.secrets.reset_basic_secret("backup", actor=admin)
        await world.server.trusted_issuers.create("ci", "https://ci.example.net", actor=SYSTEM)
        rule = {"client": "backup", "conditions": {"repository": "example/shop"}, "actor": admin}
        with pytest.raises(BeyondOwnAuthority):
            await world.server.trusted_issuers.add_rule("ci", **rule)
        with pytest.raises(BeyondOwnAuthority):
            await world.app.parts.identity.api_tokens.generate("robot", "x", expires_at=None, read_only=True, actor=admin)
