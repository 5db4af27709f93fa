"""Which scopes come of a request, what is told to anyone who may not have them, and when a consent is asked for again."""

from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from sealwright.access import SYSTEM
from sealwright.identity import purge
from sealwright.oauth import ConsentStep, RedirectStep, RequestGone
from sealwright.oauth import purge as purge_tokens
from tests.app import OTHER_PASSWORD, PASSWORD
from tests.oauth_world import (
    CALLBACK,
    WEB,
    answer_parameters,
    confidential_request,
    handle_in,
    location,
    members,
    oauth_world,
    public_redemption,
    public_request,
)


@asynccontextmanager
async def world_with_client():
    async with oauth_world() as world:
        await world.public_client()
        yield world


async def sent_back(world, cookie, **request):
    """What the application is told once the person has read that they may not use it, and goes back."""
    answer = await world.authorize(cookie, **request)
    assert location(answer).startswith("/ui/oauth2/not-allowed?request=")
    done = await world.server.authorization.go_back(handle_in(answer), await world.signed_in(cookie))
    return answer_parameters(done.location)


# --- refused ----------------------------------------------------------------------------------------------------------


async def test_one_scope_too_many_denies_the_whole_request_and_keeps_people_and_groups_from_the_client():
    async with world_with_client() as world:
        await world.directory.create_group("system_admins", actor=SYSTEM)
        await world.server.clients.update_scope_map("step-ca", "system_admins", ["root:all"], actor=SYSTEM)
        alice = await world.person("alice", groups=("users",))
        cookie = await world.sign_in(alice)
        sent = await sent_back(world, cookie, **public_request(redirect_uri=WEB, scope="openid root:all"))
        assert sent["error"] == "access_denied"
        assert sent["error_description"] == "This account may not have the scope root:all here."
        world.clock.advance(timedelta(minutes=1))  # within one, refusals of one kind share a row
        sent = await sent_back(world, cookie, **public_request(redirect_uri=WEB, scope="openid other more root:all"))
        assert sent["error_description"] == "This account may not have the scopes other, more and root:all here."
        events = await world.events("authorization.requested")
        assert [event[1] for event in events] == ["refused", "refused"]
        assert events[0][2]["reasons"] == ["the scope root:all is for members of system_admins"]
        assert "no group of this application has the scope other" in events[1][2]["reasons"]


async def test_program_on_ones_own_computer_is_told_whose_members_may():
    async with world_with_client() as world:
        stranger = await world.sign_in(await world.person("stranger"))
        sent = await sent_back(world, stranger, **public_request())
        assert sent["error_description"] == (
            "This account may not have the scopes openid and email here."
            " The scope openid is for members of users. The scope email is for members of users."
        )


async def test_silent_request_is_refused_by_redirect_at_once():
    async with world_with_client() as world:
        stranger = await world.sign_in(await world.person("stranger"))
        sent = answer_parameters(location(await world.authorize(stranger, **public_request(redirect_uri=WEB, prompt="none"))))
        assert (sent["error"], sent["state"]) == ("access_denied", public_request()["state"])


async def test_person_who_is_let_in_meanwhile_goes_on_and_a_refusal_is_answered_once():
    async with world_with_client() as world:
        stranger = await world.person("stranger")
        cookie = await world.sign_in(stranger)
        let_in = handle_in(await world.authorize(cookie, **public_request()))
        refused = handle_in(await world.authorize(cookie, **public_request()))
        signed_in = await world.signed_in(cookie)
        authorization = world.server.authorization
        assert isinstance(await authorization.go_back(refused, signed_in), RedirectStep)
        with pytest.raises(RequestGone):
            await authorization.go_back(refused, signed_in)
        await world.directory.add_members("users", ["stranger"], actor=SYSTEM)
        assert await authorization.needs(await authorization.pending(let_in), signed_in) == ()
        assert isinstance(await authorization.go_back(let_in, signed_in), ConsentStep)


# --- granted ----------------------------------------------------------------------------------------------------------


async def test_offline_access_needs_no_scope_map_and_is_told_back():
    async with world_with_client() as world:
        alice = await world.person("alice", groups=("users",))
        tokens = await world.tokens(await world.sign_in(alice), scope="openid offline_access")
        assert tokens["scope"] == "openid offline_access"
        form = {"grant_type": "refresh_token", "client_id": "step-ca"}
        tokens = members(await world.token(**form, refresh_token=tokens["refresh_token"]))
        assert tokens["scope"] == "openid offline_access"
        await world.directory.remove_members("users", ["alice"], actor=SYSTEM)
        refused = await world.token(**form, refresh_token=tokens["refresh_token"])
        assert members(refused)["error"] == "invalid_grant", "it opens nothing by itself"
        sent = answer_parameters(location(await world.authorize(None, **public_request(scope="offline_access"))))
        assert sent["error"] == "invalid_scope"


async def refreshed(world, tokens):
    form = {"grant_type": "refresh_token", "client_id": "step-ca", "refresh_token": tokens["refresh_token"]}
    return members(await world.token(**form))


async def offline(world, alice):
    cookie = await world.sign_in(alice)
    return await world.signed_in(cookie), await world.tokens(cookie, scope="openid offline_access")


async def test_userinfo_tells_only_what_the_person_may_still_grant():
    async with world_with_client() as world:

        async def userinfo():
            bearer = {"authorization": f"Bearer {tokens['access_token']}"}
            answer = await world.call("GET", "/oauth2/openid/step-ca/userinfo", headers=bearer)
            return answer.status, members(answer)

        await world.person("alice", groups=("mail-users",))
        await world.server.clients.update_scope_map("step-ca", "mail-users", ["email"], actor=SYSTEM)
        await world.server.clients.update_scope_map("step-ca", "users", ["openid"], actor=SYSTEM)
        await world.directory.add_members("users", ["alice"], actor=SYSTEM)
        tokens = await world.tokens(await world.sign_in(await world.directory.find("alice")), scope="openid email")
        assert (await userinfo())[1]["email"] == "alice@example.org"
        await world.directory.remove_members("mail-users", ["alice"], actor=SYSTEM)
        status, claims = await userinfo()
        assert status == 200
        assert "email" not in claims
        await world.directory.remove_members("users", ["alice"], actor=SYSTEM)
        assert (await userinfo())[1]["error"] == "insufficient_scope"


async def test_offline_access_is_asked_about_and_can_be_taken_back_where_the_client_asks_for_nothing_else():
    async with world_with_client() as world:
        name, secret = await world.confidential_client()
        await world.server.clients.change(name, {"consent_prompt": False}, actor=SYSTEM)
        cookie = await world.sign_in(await world.person("alice", groups=("users",)))
        assert "code" in answer_parameters(location(await world.authorize(cookie, **confidential_request(scope="openid"))))
        asked = confidential_request(scope="openid offline_access")
        silent = answer_parameters(location(await world.authorize(cookie, **asked, prompt="none")))
        assert silent["error"] == "consent_required"
        client = {"client_id": name, "client_secret": secret}
        code = await world.code(cookie, **asked)
        tokens = members(await world.post("/oauth2/token", public_redemption(code, redirect_uri=CALLBACK, **client)))
        await world.server.consents.withdraw(await world.signed_in(cookie), name)
        answer = await world.token(grant_type="refresh_token", refresh_token=tokens["refresh_token"], **client)
        assert members(answer)["error"] == "invalid_grant"


async def test_offline_access_outlives_the_sign_in_and_lasts_as_long_as_it_is_used():
    async with world_with_client() as world:
        alice = await world.person("alice", groups=("users",))
        here, tokens = await offline(world, alice)
        await world.sessions.end(here.session.id, "signed out", actor=here.actor)
        for _ in range(4):
            world.clock.advance(timedelta(days=29))
            await purge(world.db, world.clock)
            await purge_tokens(world.dependencies)
            tokens = await refreshed(world, tokens)
            assert tokens["scope"] == "openid offline_access"
            bearer = {"authorization": f"Bearer {tokens['access_token']}"}
            assert (await world.call("GET", "/oauth2/openid/step-ca/userinfo", headers=bearer)).status == 200
        world.clock.advance(timedelta(days=30, seconds=1))
        assert (await refreshed(world, tokens))["error"] == "invalid_grant"


async def test_lifetime_of_offline_access_is_the_clients_own():
    async with world_with_client() as world:
        await world.server.clients.change("step-ca", {"offline_seconds": 3600, "refresh_seconds": 60}, actor=SYSTEM)
        _, tokens = await offline(world, await world.person("alice", groups=("users",)))
        world.clock.advance(timedelta(minutes=59))
        tokens = await refreshed(world, tokens)
        world.clock.advance(timedelta(minutes=61))
        assert (await refreshed(world, tokens))["error"] == "invalid_grant"


@pytest.mark.parametrize("what", ["session from elsewhere", "all sessions", "account", "consent"])
async def test_offline_access_ends_with(what):
    async with world_with_client() as world:
        alice = await world.person("alice", groups=("users",))
        here, tokens = await offline(world, alice)
        elsewhere = await world.signed_in(await world.sign_in(alice))
        if what == "session from elsewhere":
            await world.sessions.end(here.session.id, "lost", actor=elsewhere.actor)
        elif what == "all sessions":
            await world.sessions.end(here.session.id, "signed out", actor=here.actor)
            await world.sessions.end_all(alice.id, "ended by its owner", actor=elsewhere.actor, but=elsewhere.session.id)
        elif what == "account":
            await world.directory.disable("alice", actor=SYSTEM)
        else:
            await world.server.consents.withdraw(elsewhere, "step-ca")
        assert (await refreshed(world, tokens))["error"] == "invalid_grant"


async def test_own_new_password_ends_offline_access_of_the_session_that_goes_on_and_not_what_is_made_later():
    async with world_with_client() as world:
        alice = await world.person("alice", groups=("users",))
        credentials = world.app.parts.identity.credentials
        await credentials.set_password("alice", PASSWORD, actor=SYSTEM)
        cookie = await world.sign_in(alice)
        here, before = await world.signed_in(cookie), await world.tokens(cookie, scope="openid offline_access")
        await credentials.change_password(PASSWORD, OTHER_PASSWORD, actor=here.actor)
        world.clock.advance(timedelta(minutes=1))
        later = await world.tokens(cookie, scope="openid offline_access")
        await world.sessions.end(here.session.id, "signed out", actor=here.actor)
        assert (await refreshed(world, before))["error"] == "invalid_grant"
        later = await refreshed(world, later)
        assert "refresh_token" in later
        await world.sessions.end_all(alice.id, "lost", actor=SYSTEM)
        assert (await refreshed(world, later))["error"] == "invalid_grant"


async def test_tokens_without_offline_access_end_with_the_sign_in():
    async with world_with_client() as world:
        alice = await world.person("alice", groups=("users",))
        cookie = await world.sign_in(alice)
        here, tokens = await world.signed_in(cookie), await world.tokens(cookie)
        await world.sessions.end(here.session.id, "signed out", actor=here.actor)
        assert (await refreshed(world, tokens))["error"] == "invalid_grant"


async def test_id_token_of_offline_access_is_no_credential_here_once_the_person_has_signed_out():
    async with world_with_client() as world:
        alice = await world.person("alice", groups=("users",))
        here, tokens = await offline(world, alice)
        claims = (await world.verified(tokens["id_token"], "step-ca")).claims

        async def why():
            return await world.server.id_token_status.why_invalid(
                issuer_url=claims["iss"],
                client_name="step-ca",
                account_id=alice.id,
                session_id=claims["sid"],
                family_id=claims["family"],
                claims=set(claims),
            )

        assert await why() == ""
        await world.sessions.end(here.session.id, "signed out", actor=here.actor)
        assert "sign-in" in await why()


async def test_client_that_takes_a_part_is_granted_it_and_told_which():
    async with world_with_client() as world:
        alice = await world.person("alice", groups=("users",))
        cookie = await world.sign_in(alice)
        await world.server.clients.change("step-ca", {"partial_scopes": True}, actor=SYSTEM)
        tokens = await world.tokens(cookie, scope="openid email address phone")
        assert tokens["scope"] == "openid email"
        (consent,) = await world.server.consents.list_of(await world.signed_in(cookie))
        assert consent.scopes == ("email", "openid")
        sent = await sent_back(world, await world.sign_in(await world.person("stranger")), **public_request())
        assert sent["error"] == "access_denied"


# --- asked again ------------------------------------------------------------------------------------------------------


async def test_program_that_could_be_anyones_is_asked_about_each_time():
    async with world_with_client() as world:
        alice = await world.person("alice", groups=("users",))
        cookie = await world.sign_in(alice)
        await world.tokens(cookie)
        thief = public_request(redirect_uri="http://127.0.0.1:31337/steal")
        assert answer_parameters(location(await world.authorize(cookie, **thief, prompt="none")))["error"] == "consent_required"
        assert "/ui/oauth2/consent" in location(await world.authorize(cookie, **thief))
        assert "/ui/oauth2/consent" in location(await world.authorize(cookie, **public_request()))
        answer = await world.authorize(cookie, **public_request(redirect_uri=WEB, prompt="none"))
        assert "code" in answer_parameters(location(answer)), "only the owner of the host name is answered there"
