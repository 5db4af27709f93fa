import asyncio
from datetime import timedelta

import pytest
from msgspec.structs import replace

from sealwright.access import SYSTEM, Actor, Permission
from sealwright.errors import NotFound, NotPermitted
from sealwright.keys import Purpose
from sealwright.oauth import ClientExists, ClientKind, ClientRefused, ClientUnknown, GroupUnknown, SigningAlgorithm
from tests.oauth_world import ORIGIN, oauth_world

NOBODY = Actor("person", "1", "mallory")
READER = Actor("person", "2", "reader", frozenset({Permission.CLIENT_READ}))
WRITER = Actor("person", "3", "writer", frozenset({Permission.CLIENT_READ, Permission.CLIENT_WRITE}))


def run(scenario):
    async def inside():
        async with oauth_world() as world:
            await scenario(world, world.server.clients)

    asyncio.run(inside())


def test_commands_of_the_guide_run_one_after_the_other():
    async def scenario(world, clients):
        await clients.create_public("step-ca", "Step-CA", "https://ca.example.org", actor=WRITER)
        await clients.enable_localhost_redirects("step-ca", actor=WRITER)
        await clients.set_landing_url("step-ca", "https://ca.example.org", actor=WRITER)
        await clients.add_redirect_url("step-ca", "http://localhost:10000", actor=WRITER)
        await clients.update_scope_map("step-ca", "users", ["openid", "email"], actor=WRITER)
        found = await clients.get("step-ca", actor=READER)
        assert found.kind is ClientKind.PUBLIC
        assert found.display_name == "Step-CA"
        assert found.landing_url == "https://ca.example.org"
        assert found.redirect_uris == ("http://localhost:10000",)
        assert found.localhost_redirects
        assert found.require_pkce
        assert [(one.group_name, one.scopes) for one in found.scope_maps] == [("users", ("openid", "email"))]
        assert found.issuer_url == f"{ORIGIN}/oauth2/openid/step-ca"
        assert found.configuration_url == f"{ORIGIN}/oauth2/openid/step-ca/.well-known/openid-configuration"
        assert found.signing_algorithm is SigningAlgorithm.ES256
        assert found.refresh_lifetime == timedelta(hours=16)
        assert not {"secret_digest", "sealed_secret", "id"} & set(found.__struct_fields__)
        assert await clients.show_basic_secret("step-ca", actor=WRITER) is None
        names = [event for event, _, _ in await world.events("client.created", "client.updated")]
        assert names == ["client.created", *["client.updated"] * 4]

    run(scenario)


def test_scope_map_is_replaced():
    async def scenario(_world, clients):
        await clients.create_public("app", "App", "https://app.example.org", actor=WRITER)
        await clients.update_scope_map("app", "users@example.org", ["openid", "email"], actor=WRITER)
        found = await clients.update_scope_map("app", "users", ["groups"], actor=WRITER)
        assert [(one.group_name, one.scopes) for one in found.scope_maps] == [("users", ("groups",))]
        with pytest.raises(ClientRefused):
            await clients.update_scope_map("app", "users", [], actor=WRITER)
        with pytest.raises(GroupUnknown, match="'strangers'"):
            await clients.update_scope_map("app", "strangers", ["openid"], actor=WRITER)
        assert (await clients.delete_scope_map("app", "users", actor=WRITER)).scope_maps == ()
        with pytest.raises(NotFound, match="no scope map"):
            await clients.delete_scope_map("app", "users", actor=WRITER)

    run(scenario)


def test_confidential_client_has_a_secret_that_is_shown_when_asked_and_recorded():
    async def scenario(world, clients):
        await clients.create_confidential("wiki", "Wiki", "https://wiki.example.org", actor=WRITER)
        secret = await clients.show_basic_secret("wiki", actor=WRITER)
        assert len(secret) == 64
        assert await clients.show_basic_secret("wiki", actor=WRITER) == secret
        fresh = await clients.reset_basic_secret("wiki", actor=WRITER)
        assert fresh != secret
        assert await clients.show_basic_secret("wiki", actor=WRITER) == fresh
        events = await world.events("client.secret_shown", "client.secret_reset")
        assert [event for event, _, _ in events] == [
            "client.secret_shown",
            "client.secret_shown",
            "client.secret_reset",
            "client.secret_shown",
        ]
        written = str(await world.audit.newest(world.db, at_most=100))
        assert secret not in written
        assert fresh not in written

    run(scenario)


def test_public_client_keeps_what_protects_it():
    async def scenario(_world, clients):
        await clients.create_public("app", "App", "https://app.example.org", actor=WRITER)
        for verb in (clients.disable_pkce, clients.disable_consent_prompt, clients.reset_basic_secret):
            with pytest.raises(ClientRefused):
                await verb("app", actor=WRITER)
        await clients.create_confidential("wiki", "Wiki", "https://wiki.example.org", actor=WRITER)
        for wrong in ("javascript:alert(1)", "http://wiki.example.org/cb"):
            with pytest.raises(ClientRefused):
                await clients.add_redirect_url("wiki", wrong, actor=WRITER)
        found = await clients.add_redirect_url("wiki", "app.immich:///oauth-callback", actor=WRITER)
        assert found.redirect_uris == ("app.immich:///oauth-callback",)
        assert not (await clients.disable_pkce("wiki", actor=WRITER)).require_pkce
        assert not (await clients.disable_consent_prompt("wiki", actor=WRITER)).consent_prompt
        assert (await clients.enable_consent_prompt("wiki", actor=WRITER)).consent_prompt

    run(scenario)


def test_switches_change_only_what_they_name():
    async def scenario(_world, clients):
        before = await clients.create_public("app", "App", "https://app.example.org", actor=WRITER)
        changed = await clients.prefer_short_username("app", actor=WRITER)
        assert replace(before, short_username=True) == changed
        assert await clients.prefer_spn_username("app", actor=WRITER) == before
        changed = await clients.set_display_name("app", " My app ", actor=WRITER)
        assert replace(before, display_name="My app") == changed
        changed = await clients.set_refresh_token_expiry("app", timedelta(hours=1), actor=WRITER)
        assert changed.refresh_lifetime == timedelta(hours=1)
        changed = await clients.set_refresh_token_expiry("app", None, actor=WRITER)
        assert changed.refresh_lifetime == timedelta(hours=16)
        for wrong in (timedelta(0), timedelta(seconds=59), timedelta(days=400), timedelta(days=-1)):
            with pytest.raises(ClientRefused):
                await clients.set_refresh_token_expiry("app", wrong, actor=WRITER)
        assert not (await clients.disable_localhost_redirects("app", actor=WRITER)).localhost_redirects
        for name in ("localhost_redirects", "http_redirects", "partial_scopes"):
            off = await clients.get("app", actor=READER)
            assert replace(off, **{name: True}) == await getattr(clients, f"enable_{name}")("app", actor=WRITER)
            assert await getattr(clients, f"disable_{name}")("app", actor=WRITER) == off

    run(scenario)


def test_grace_of_used_refresh_tokens_is_for_clients_with_a_secret_unless_it_is_set():
    async def scenario(_world, clients):
        public = await clients.create_public("app", "App", "https://app.example.org", actor=WRITER)
        confidential = await clients.create_confidential("wiki", "Wiki", "https://wiki.example.org", actor=WRITER)
        assert (public.refresh_grace, confidential.refresh_grace) == (timedelta(0), timedelta(seconds=10))
        for name, usual in (("app", public), ("wiki", confidential)):
            changed = await clients.set_refresh_token_grace(name, timedelta(seconds=60), actor=WRITER)
            assert changed.refresh_grace == timedelta(seconds=60)
            assert await clients.set_refresh_token_grace(name, None, actor=WRITER) == usual
            for wrong in (timedelta(seconds=-1), timedelta(seconds=61)):
                with pytest.raises(ClientRefused):
                    await clients.set_refresh_token_grace(name, wrong, actor=WRITER)

    run(scenario)


def test_each_client_has_a_key_of_its_own_from_the_first_moment():
    async def scenario(world, clients):
        await clients.create_public("app", "App", "https://app.example.org", actor=WRITER)
        await clients.create_public("other", "Other", "https://other.example.org", actor=WRITER)
        ids = [(await world.server.discovery.client(name)).id for name in ("app", "other")]
        keys = [await world.custody.active(Purpose.OAUTH_CLIENT, client_id) for client_id in ids]
        assert [key.algorithm for key in keys] == ["ES256", "ES256"]
        assert keys[0].id != keys[1].id

    run(scenario)


def test_client_that_cannot_be_stored_leaves_no_key():
    async def scenario(world, clients):
        await clients.create_public("app", "App", "https://app.example.org", actor=WRITER)
        with pytest.raises(ClientExists, match="'app'"):
            await clients.create_public("app", "App", "https://app.example.org", actor=WRITER)
        client = await world.server.discovery.client("app")
        assert len(await world.custody.public_keys(Purpose.OAUTH_CLIENT, client.id)) == 1
        assert len(await world.events("client.created")) == 1

    run(scenario)


def test_algorithm_is_switched_once():
    async def scenario(world, clients):
        await clients.create_public("app", "App", "https://app.example.org", actor=WRITER)
        client = await world.server.discovery.client("app")
        await clients.disable_legacy_crypto("app", actor=WRITER)
        await clients.enable_legacy_crypto("app", actor=WRITER)
        await clients.enable_legacy_crypto("app", actor=WRITER)
        keys = await world.custody.public_keys(Purpose.OAUTH_CLIENT, client.id)
        assert sorted((key.algorithm, key.retired_at is None) for key in keys) == [("ES256", False), ("RS256", True)]
        assert all(key.retired_at is None or key.retired_at > world.clock.now() for key in keys), "the old one signs until then"

    run(scenario)


def test_deleted_client_is_gone_and_its_name_is_free():
    async def scenario(world, clients):
        await clients.create_public("app", "App", "https://app.example.org", actor=WRITER)
        old = await world.server.discovery.client("app")
        await clients.delete("app", actor=WRITER)
        with pytest.raises(ClientUnknown):
            await clients.get("app", actor=READER)
        assert await world.custody.public_keys(Purpose.OAUTH_CLIENT, old.id) == []
        await clients.create_public("app", "App", "https://app.example.org", actor=WRITER)
        assert (await world.server.discovery.client("app")).id != old.id

    run(scenario)


READS = ("get", "list")
FOR_OTHERS = {"access_given_by": "person:write", "name_of": "audit:read", "id_of": "audit:read"}
"""What is told about clients to whoever deletes a person or reads audit rows, and the permission for it."""
WRITES = {
    "create_public": ("x", "X", "https://x.example"),
    "create_confidential": ("x", "X", "https://x.example"),
    "delete": ("app",),
    "impact_of_deletion": ("app",),
    "set_landing_url": ("app", "https://x.example"),
    "add_redirect_url": ("app", "https://x.example"),
    "remove_redirect_url": ("app", "https://x.example"),
    "enable_localhost_redirects": ("app",),
    "disable_localhost_redirects": ("app",),
    "update_scope_map": ("app", "users", ["openid"]),
    "delete_scope_map": ("app", "users"),
    "set_display_name": ("app", "X"),
    "enable_pkce": ("app",),
    "disable_pkce": ("app",),
    "enable_consent_prompt": ("app",),
    "disable_consent_prompt": ("app",),
    "prefer_short_username": ("app",),
    "prefer_spn_username": ("app",),
    "set_refresh_token_expiry": ("app", None),
    "set_refresh_token_grace": ("app", None),
    "enable_http_redirects": ("app",),
    "disable_http_redirects": ("app",),
    "enable_partial_scopes": ("app",),
    "disable_partial_scopes": ("app",),
    "enable_legacy_crypto": ("app",),
    "disable_legacy_crypto": ("app",),
    "show_basic_secret": ("app",),
    "reset_basic_secret": ("app",),
}


def test_every_verb_asks_for_its_permission():
    async def scenario(_world, clients):
        verbs = {name for name in dir(clients) if not name.startswith("_")}
        assert verbs == {*READS, *WRITES, *FOR_OTHERS, "prepared_public"}
        with pytest.raises(NotPermitted, match="client:write"):
            clients.prepared_public("app", "App", "https://app.example.org", {}, actor=READER)
        await clients.create_confidential("app", "App", "https://app.example.org", actor=SYSTEM)
        before = await clients.get("app", actor=SYSTEM)
        for name in READS:
            with pytest.raises(NotPermitted):
                await getattr(clients, name)(*(("app",) if name == "get" else ()), actor=NOBODY)
        for name, permission in FOR_OTHERS.items():
            for actor in (NOBODY, READER):
                with pytest.raises(NotPermitted, match=permission):
                    await getattr(clients, name)("app", actor=actor)
        for name, arguments in WRITES.items():
            for actor in (NOBODY, READER):
                with pytest.raises(NotPermitted, match="client:write"):
                    await getattr(clients, name)(*arguments, actor=actor)
        assert await clients.get("app", actor=READER) == before
        assert len(await clients.list(actor=READER)) == 1

    run(scenario)


@pytest.mark.parametrize("name", ["", "nobody", "APP", "a\0b", "../x"])
def test_unknown_client_is_named(name):
    async def scenario(_world, clients):
        with pytest.raises(ClientUnknown):
            await clients.get(name, actor=READER)
        with pytest.raises(ClientUnknown):
            await clients.set_display_name(name, "X", actor=WRITER)

    run(scenario)


@pytest.mark.parametrize(
    ("name", "display_name", "landing_url"),
    [
        ("App", "App", "https://app.example.org"),
        ("app", "", "https://app.example.org"),
        ("app", "   ", "https://app.example.org"),
        ("app", "a\nb", "https://app.example.org"),
        ("app", "x" * 201, "https://app.example.org"),
        ("app", "App", "http://app.example.org"),
        ("app", "App", "app.example.org"),
        ("app", "App", "https://app.example.org/#x"),
    ],
)
def test_client_with_a_wrong_value_is_not_created(name, display_name, landing_url):
    async def scenario(_world, clients):
        for verb in (clients.create_public, clients.create_confidential):
            with pytest.raises(ClientRefused):
                await verb(name, display_name, landing_url, actor=WRITER)
        assert await clients.list(actor=READER) == []

    run(scenario)
