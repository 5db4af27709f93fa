"""At `sign` a token of our own provider is worth what its session, family and person are worth at that moment, on every node."""

import base64
import hashlib
from contextlib import asynccontextmanager
from urllib.parse import parse_qs, urlencode, urlsplit

import msgspec
import pytest

from sealwright.access import SYSTEM
from sealwright.http import Peer, Request
from sealwright.identity import SESSION_COOKIE
from tests.authorities import csr, leaf_of, names_in
from tests.unit.api.world import MACHINES, PEOPLE, ServerWorld
from tests.unit.identity.world import PASSWORD

VERIFIER = "n8yG3vK2h0QfUOZ1cXbLs7TjWmRpDqEaHiY5x6NkV4t"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
LOOPBACK = "http://127.0.0.1:45673"
ISSUER_URL = f"{PEOPLE}/oauth2/openid/step-ca"


class Place:
    """Two nodes on one database: alice signs in on the first, certificates are asked for on the second."""

    def __init__(self, first, second):
        self.first, self.second = first, second
        self.code = ""

    async def begin(self, **provisioner):
        await self.first.seed()
        clients = self.first.oauth.clients
        await self.first.directory.create_group("users", actor=SYSTEM)
        await self.first.directory.create_group("pki", actor=SYSTEM)
        self.alice = await self.first.person("alice", "users", mails=("alice@example.org",))
        await clients.create_public("step-ca", "Step-CA", "https://ca.example.org", actor=SYSTEM)
        await clients.change("step-ca", {"localhost_redirects": True}, actor=SYSTEM)
        await clients.update_scope_map("step-ca", "users", ("openid", "email", "groups"), actor=SYSTEM)
        definition = {
            "type": "OIDC",
            "name": "own",
            "clientID": "step-ca",
            "configurationEndpoint": f"{ISSUER_URL}/.well-known/openid-configuration",
            **provisioner,
        }
        await self.first.ca.provisioners.add(definition, SYSTEM)
        self.session = await self.first.signed_in("alice")

    async def oauth(self, path, form):
        request = Request(
            "POST",
            path,
            "",
            {"content-type": "application/x-www-form-urlencoded"},
            urlencode(form).encode(),
            peer=Peer("192.0.2.1"),
        )
        return await self.first.answer(PEOPLE, request)

    async def tokens(self, scope="openid email"):
        """Alice signs in to the client, and allows it what it asks for."""
        query = {
            "client_id": "step-ca",
            "redirect_uri": LOOPBACK,
            "response_type": "code",
            "scope": scope,
            "state": "Q0fVkq3mJ4r8sT1u",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        }
        cookie = {"cookie": f"{SESSION_COOKIE}={self.session.token}"}
        asked = Request("GET", "/oauth2/authorise", urlencode(query), cookie, peer=Peer("192.0.2.1"))
        location = dict((await self.first.answer(PEOPLE, asked)).headers)["location"]
        if "/consent" in location:
            handle = parse_qs(urlsplit(location).query)["request"][0]
            location = (await self.first.oauth.authorization.allow(handle, self.session.signed_in)).location
        self.code = parse_qs(urlsplit(location).query)["code"][0]
        return msgspec.json.decode((await self.redeem()).body)

    async def redeem(self):
        form = {
            "grant_type": "authorization_code",
            "code": self.code,
            "client_id": "step-ca",
            "redirect_uri": LOOPBACK,
            "code_verifier": VERIFIER,
        }
        return await self.oauth("/oauth2/token", form)

    async def refresh(self, refresh_token):
        form = {"grant_type": "refresh_token", "client_id": "step-ca", "refresh_token": refresh_token}
        return await self.oauth("/oauth2/token", form)

    async def sign(self, token, request=None):
        """Ask the second node for a certificate; status and what was said."""
        body = msgspec.json.encode({"csr": request or csr(), "ott": token})
        response = await self.second.answer(MACHINES, Request("POST", "/sign", "", {}, body, peer=Peer("192.0.2.1")))
        return response.status, msgspec.json.decode(response.body)


@pytest.fixture
def place(open_two):
    @asynccontextmanager
    async def opened(**provisioner):
        async with open_two() as (first_db, second_db):
            first = ServerWorld(first_db)
            made = Place(first, ServerWorld(second_db, clock=first.clock, entropy_seed=8))
            await made.begin(**provisioner)
            yield made

    return opened


async def sign_out(place):
    await place.first.sessions.end(place.session.signed_in.session.id, "signed out", actor=place.session.signed_in.actor)


async def replay_the_code(place):
    assert (await place.redeem()).status == 400


async def take_the_consent_back(place):
    await place.first.oauth.consents.withdraw(place.session.signed_in, "step-ca")


async def disable_the_person(place):
    await place.first.directory.disable("alice", actor=SYSTEM)


async def change_the_mail(place):
    await place.first.directory.update_person("alice", mails=("alice@new.example.org",), actor=SYSTEM)


async def remove_the_mail(place):
    await place.first.directory.update_person("alice", mails=(), actor=SYSTEM)


async def remove_from_the_clients_group(place):
    await place.first.directory.remove_members("users", ["alice"], actor=SYSTEM)


async def take_the_scope_away(place):
    await place.first.oauth.clients.update_scope_map("step-ca", "users", ("openid",), actor=SYSTEM)


async def reset_the_password(place):
    await place.first.credentials.set_password("alice", f"{PASSWORD}-new", actor=SYSTEM)


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (sign_out, "the sign-in that the authorization rests on has ended"),
        (replay_the_code, "the authorization was revoked"),
        (take_the_consent_back, "the authorization was revoked"),
        (disable_the_person, "the account is disabled"),
        (change_the_mail, "alice@example.org is not a name that alice@example.org may have any more"),
        (remove_the_mail, "alice@example.org is not a name that alice@example.org may have any more"),
        (remove_from_the_clients_group, "they may not have the scope openid email of Step-CA any more"),
        (take_the_scope_away, "they may not have the scope email of Step-CA any more"),
        (reset_the_password, "the sign-in that the authorization rests on has ended"),
    ],
)
async def test_id_token_is_worth_nothing_after(place, event, words):
    async with place() as here:
        before, token = [(await here.tokens())["id_token"] for _ in range(2)]
        assert (await here.sign(before))[0] == 201
        await event(here)
        status, answer = await here.sign(token)
        assert (status, words in answer["message"]) == (403, True), answer


async def test_id_token_is_worth_nothing_after_its_refresh_token_was_used_twice(place):
    async with place() as here:
        tokens = await here.tokens()
        fresh = msgspec.json.decode((await here.refresh(tokens["refresh_token"])).body)
        assert (await here.sign(tokens["id_token"]))[0] == 201
        assert (await here.refresh(tokens["refresh_token"])).status == 400
        status, answer = await here.sign(fresh["id_token"])
        assert (status, "the authorization was revoked" in answer["message"]) == (403, True)


async def test_refreshed_id_token_is_worth_what_its_own_scopes_are(place):
    async with place() as here:
        tokens = await here.tokens("openid email groups")
        await here.first.oauth.clients.update_scope_map("step-ca", "users", ("openid", "email"), actor=SYSTEM)
        status, answer = await here.sign(tokens["id_token"])
        assert (status, "the scope groups of Step-CA" in answer["message"]) == (403, True)
        narrower = msgspec.json.decode((await here.refresh(tokens["refresh_token"])).body)
        assert (await here.sign(narrower["id_token"]))[0] == 201


async def test_person_removed_from_the_group_that_the_provisioner_asks_for_gets_nothing(place):
    async with place(groups=["pki"]) as here:
        await here.first.directory.add_members("pki", ["alice"], actor=SYSTEM)
        first, second = [(await here.tokens("openid email groups"))["id_token"] for _ in range(2)]
        assert (await here.sign(first))[0] == 201
        await here.first.directory.remove_members("pki", ["alice"], actor=SYSTEM)
        status, answer = await here.sign(second)
        assert (status, "in none of the groups any more" in answer["message"]) == (403, True)


async def test_person_removed_from_the_administrators_of_the_provisioner_has_their_own_names_only(place):
    async with place(admins=["pki"]) as here:
        await here.first.directory.add_members("pki", ["alice"], actor=SYSTEM)
        first, second, third = [(await here.tokens("openid email groups"))["id_token"] for _ in range(3)]
        web = csr("web.example.org", ("web.example.org",))
        status, answer = await here.sign(first, web)
        assert (status, names_in(leaf_of(answer))) == (201, ["web.example.org"])
        await here.first.directory.remove_members("pki", ["alice"], actor=SYSTEM)
        status, answer = await here.sign(second, web)
        assert (status, "web.example.org is not a name that" in answer["message"]) == (403, True)
        assert (await here.sign(third))[0] == 201


async def test_refusal_of_a_token_that_is_over_is_recorded_with_the_reason(place):
    async with place() as here:
        token = (await here.tokens())["id_token"]
        await sign_out(here)
        await here.sign(token)
        refused = [row for row in await here.second.events("provisioner:step-ca") if row[0] == "certificate.refused"]
        assert "the sign-in that the authorization rests on has ended" in refused[0][2]
