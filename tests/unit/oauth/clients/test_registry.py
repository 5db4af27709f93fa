from contextlib import asynccontextmanager
from dataclasses import fields, replace
from datetime import timedelta

import pytest

from sealwright.access import SYSTEM, Actor, Permission, Permissions
from sealwright.clock import after
from sealwright.errors import NotFound, NotPermitted
from sealwright.keys import Purpose
from sealwright.oauth import ClientExists, ClientKind, ClientRefused, ClientUnknown, GroupUnknown
from tests.oauth_world import CALLBACK, ORIGIN, VERIFIER, basic, confidential_request, members, oauth_world

NOBODY = Actor("person", "1", "mallory")
READER = Actor("person", "2", "reader", Permissions(frozenset({Permission.CLIENT_READ})))
WRITER = Actor("person", "3", "writer", Permissions(frozenset({Permission.CLIENT_READ, Permission.CLIENT_WRITE})))


@asynccontextmanager
async def world_with_clients():
    async with oauth_world() as world:
        yield world, world.server.clients


async def test_commands_of_the_guide_run_one_after_the_other():
    async with world_with_clients() as (world, clients):
        await clients.create_public("step-ca", "Step-CA", "https://ca.example.org", actor=WRITER)
        await clients.change("step-ca", {"localhost_redirects": True}, actor=WRITER)
        await clients.change("step-ca", {"landing_url": "https://ca.example.org"}, actor=WRITER)
        await clients.add("step-ca", "redirect_uris", "http://localhost:10000", actor=WRITER)
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
        assert found.id_token_signed_response_alg == "ES256"
        assert found.refresh_seconds == 57_600
        assert not {"secret_digest", "sealed_secret", "id"} & {field.name for field in fields(found)}
        assert await clients.secrets.show_basic_secret("step-ca", actor=WRITER) is None
        names = [event for event, _, _ in await world.events("client.created", "client.updated")]
        assert names == ["client.created", *["client.updated"] * 4]


async def test_scope_map_is_replaced():
    async with world_with_clients() as (_world, clients):
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


async def test_confidential_client_has_a_secret_that_is_shown_when_asked_and_recorded():
    async with world_with_clients() as (world, clients):
        await clients.create_confidential("wiki", "Wiki", "https://wiki.example.org", actor=WRITER)
        secret = await clients.secrets.show_basic_secret("wiki", actor=WRITER)
        assert len(secret) == 64
        assert await clients.secrets.show_basic_secret("wiki", actor=WRITER) == secret
        fresh = (await clients.secrets.reset_basic_secret("wiki", actor=WRITER)).secret
        assert fresh != secret
        assert await clients.secrets.show_basic_secret("wiki", actor=WRITER) == fresh
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


async def test_public_client_keeps_what_protects_it():
    async with world_with_clients() as (_world, clients):
        await clients.create_public("app", "App", "https://app.example.org", actor=WRITER)
        for member in ("require_pkce", "consent_prompt"):
            with pytest.raises(ClientRefused, match="app is a public client"):
                await clients.change("app", {member: False}, actor=WRITER)
            with pytest.raises(ClientRefused, match="x is a public client"):
                await clients.create_public("x", "X", "https://x.example.org", members={member: False}, actor=WRITER)
        with pytest.raises(ClientRefused, match="has no secret"):
            await clients.secrets.reset_basic_secret("app", actor=WRITER)
        await clients.create_confidential("wiki", "Wiki", "https://wiki.example.org", actor=WRITER)
        for wrong in ("javascript:alert(1)", "http://wiki.example.org/cb"):
            with pytest.raises(ClientRefused):
                await clients.add("wiki", "redirect_uris", wrong, actor=WRITER)
        found = await clients.add("wiki", "redirect_uris", "app.immich:///oauth-callback", actor=WRITER)
        assert found.redirect_uris == ("app.immich:///oauth-callback",)
        assert not (await clients.change("wiki", {"require_pkce": False}, actor=WRITER)).require_pkce
        assert not (await clients.change("wiki", {"consent_prompt": False}, actor=WRITER)).consent_prompt
        assert (await clients.change("wiki", {"consent_prompt": True}, actor=WRITER)).consent_prompt


async def test_switches_change_only_what_they_name():
    async with world_with_clients() as (_world, clients):
        before = await clients.create_public("app", "App", "https://app.example.org", actor=WRITER)
        changed = await clients.change("app", {"short_username": True}, actor=WRITER)
        assert replace(before, short_username=True) == changed
        assert await clients.change("app", {"short_username": False}, actor=WRITER) == before
        changed = await clients.change("app", {"display_name": " My app "}, actor=WRITER)
        assert replace(before, display_name="My app") == changed
        changed = await clients.change("app", {"refresh_seconds": 3600}, actor=WRITER)
        assert changed.refresh_seconds == 3600
        changed = await clients.change("app", {"refresh_seconds": None}, actor=WRITER)
        assert changed.refresh_seconds == 57_600
        for wrong in (0, 59, 400 * 86_400, -1, "60", 60.5, True):
            with pytest.raises(ClientRefused):
                await clients.change("app", {"refresh_seconds": wrong}, actor=WRITER)
        assert not (await clients.change("app", {"localhost_redirects": False}, actor=WRITER)).localhost_redirects
        for name in ("localhost_redirects", "http_redirects", "partial_scopes"):
            off = await clients.get("app", actor=READER)
            assert replace(off, **{name: True}) == await clients.change("app", {name: True}, actor=WRITER)
            assert await clients.change("app", {name: False}, actor=WRITER) == off


async def test_grace_of_used_refresh_tokens_is_for_clients_with_a_secret_unless_it_is_set():
    async with world_with_clients() as (_world, clients):
        public = await clients.create_public("app", "App", "https://app.example.org", actor=WRITER)
        confidential = await clients.create_confidential("wiki", "Wiki", "https://wiki.example.org", actor=WRITER)
        assert (public.refresh_grace_seconds, confidential.refresh_grace_seconds) == (0, 10)
        for name, usual in (("app", public), ("wiki", confidential)):
            changed = await clients.change(name, {"refresh_grace_seconds": 60}, actor=WRITER)
            assert changed.refresh_grace_seconds == 60
            assert await clients.change(name, {"refresh_grace_seconds": None}, actor=WRITER) == usual
            for wrong in (-1, 61):
                with pytest.raises(ClientRefused):
                    await clients.change(name, {"refresh_grace_seconds": wrong}, actor=WRITER)


async def test_each_client_has_a_key_of_its_own_from_the_first_moment():
    async with world_with_clients() as (world, clients):
        await clients.create_public("app", "App", "https://app.example.org", actor=WRITER)
        await clients.create_public("other", "Other", "https://other.example.org", actor=WRITER)
        ids = [(await world.server.discovery.client(name)).id for name in ("app", "other")]
        keys = [await world.custody.active(Purpose.OAUTH_CLIENT, client_id) for client_id in ids]
        assert [key.algorithm for key in keys] == ["ES256", "ES256"]
        assert keys[0].id != keys[1].id


async def test_client_that_cannot_be_stored_leaves_no_key():
    async with world_with_clients() as (world, clients):
        await clients.create_public("app", "App", "https://app.example.org", actor=WRITER)
        with pytest.raises(ClientExists, match="'app'"):
            await clients.create_public("app", "App", "https://app.example.org", actor=WRITER)
        client = await world.server.discovery.client("app")
        assert len(await world.custody.public_keys(Purpose.OAUTH_CLIENT, client.id)) == 1
        assert len(await world.events("client.created")) == 1


async def test_algorithm_is_switched_once():
    async with world_with_clients() as (world, clients):
        await clients.create_public("app", "App", "https://app.example.org", actor=WRITER)
        client = await world.server.discovery.client("app")
        await clients.change("app", {"id_token_signed_response_alg": "ES256"}, actor=WRITER)
        await clients.change("app", {"id_token_signed_response_alg": "RS256"}, actor=WRITER)
        await clients.change("app", {"id_token_signed_response_alg": "RS256"}, actor=WRITER)
        keys = await world.custody.public_keys(Purpose.OAUTH_CLIENT, client.id)
        assert sorted((key.algorithm, key.retired_at is None) for key in keys) == [("ES256", True), ("RS256", True)], (
            "the way back needs no new key"
        )


async def test_deleted_client_is_gone_and_verifies_nothing():
    async with world_with_clients() as (world, clients):
        await clients.create_public("app", "App", "https://app.example.org", actor=WRITER)
        old = await world.server.discovery.client("app")
        await clients.delete("app", actor=WRITER)
        with pytest.raises(ClientUnknown):
            await clients.get("app", actor=READER)
        assert await world.custody.public_keys(Purpose.OAUTH_CLIENT, old.id) == []


READS = ("get", "list")
FOR_OTHERS = {"access_given_by": "person:write", "name_of": "audit:read", "id_of": "audit:read"}
"""What is told about clients to anyone who deletes a person or reads audit rows, and the permission for it."""
WRITES = {
    "change_maps": ("app", None),
    "create_public": ("x", "X", "https://x.example"),
    "create_confidential": ("x", "X", "https://x.example"),
    "delete": ("app",),
    "require_may_change": ("app",),
    "impact_of_deletion": ("app",),
    "change": ("app", {"display_name": "X"}),
    "add": ("app", "redirect_uris", "https://x.example"),
    "remove": ("app", "redirect_uris", "https://x.example"),
    "update_scope_map": ("app", "users", ["openid"]),
    "delete_scope_map": ("app", "users"),
}


NAME_WRITES = {"rename": ("app", "other"), "set_issuer": ("app", None)}
KEY_READS = ("list_keys",)
KEY_WRITES = {"rotate": ("app",), "revoke": ("app", "k")}
SECRET_WRITES = ("show_basic_secret", "reset_basic_secret", "reset_secrets", "put")
WITHIN_VERBS = ("missing", "own_ids", "replacements", "replace", "reinstate", "insert", "forget")
"""Parts of the registry's own verbs, which have asked before."""


async def test_every_verb_asks_for_its_permission():
    async with world_with_clients() as (_world, clients):
        verbs = {name for name in dir(clients) if not name.startswith("_")}
        parts = {"keys", "secrets", "images", "names", "deleted"}
        assert verbs == {*READS, *WRITES, *FOR_OTHERS, *parts, "prepared_public", "require_may_change"}
        assert {name for name in dir(clients.keys) if not name.startswith("_")} == {*KEY_READS, *KEY_WRITES, *WITHIN_VERBS}
        assert {name for name in dir(clients.secrets) if not name.startswith("_")} == {*SECRET_WRITES}
        assert {name for name in dir(clients.names) if not name.startswith("_")} == {*NAME_WRITES}
        assert {name for name in dir(clients.deleted) if not name.startswith("_")} == {"list", "show", "revive"}
        with pytest.raises(NotPermitted, match="client:write"):
            await clients.deleted.revive("app", actor=READER)
        for call in (clients.deleted.list(at_most=1, actor=NOBODY), clients.deleted.show("app", actor=NOBODY)):
            with pytest.raises(NotPermitted, match="client:read"):
                await call
        with pytest.raises(NotPermitted, match="client:write"):
            clients.prepared_public("app", "App", "https://app.example.org", {}, actor=READER)
        await clients.create_confidential("app", "App", "https://app.example.org", actor=SYSTEM)
        with pytest.raises(NotPermitted, match="client:write"):
            await clients.require_may_change("app", actor=READER)
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
        with pytest.raises(NotPermitted):
            await clients.keys.list_keys("app", actor=NOBODY)
        of_names = [(clients.names, *each) for each in NAME_WRITES.items()]
        of_keys = [(clients.keys, *each) for each in KEY_WRITES.items()]
        of_secrets = [(clients.secrets, each, ("app", "x" * 40) if each == "put" else ("app",)) for each in SECRET_WRITES]
        for verbs_of, name, arguments in (*of_names, *of_keys, *of_secrets):
            for actor in (NOBODY, READER):
                with pytest.raises(NotPermitted, match="client:write"):
                    await getattr(verbs_of, name)(*arguments, actor=actor)
        assert await clients.get("app", actor=READER) == before
        assert len(await clients.list(actor=READER)) == 1


async def test_images_are_changed_with_the_permission_to_write_clients():
    async with world_with_clients() as (_world, clients):
        await clients.create_confidential("app", "App", "https://app.example.org", actor=SYSTEM)
        for actor in (NOBODY, READER):
            for call in (clients.images.set_image("app", b"", actor=actor), clients.images.remove_image("app", actor=actor)):
                with pytest.raises(NotPermitted, match="client:write"):
                    await call


@pytest.mark.parametrize("name", ["", "nobody", "APP", "a\0b", "../x"])
async def test_unknown_client_is_named(name):
    async with world_with_clients() as (_world, clients):
        with pytest.raises(ClientUnknown):
            await clients.get(name, actor=READER)
        with pytest.raises(ClientUnknown):
            await clients.change(name, {"display_name": "X"}, actor=WRITER)


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
async def test_client_with_a_wrong_value_is_not_created(name, display_name, landing_url):
    async with world_with_clients() as (_world, clients):
        for verb in (clients.create_public, clients.create_confidential):
            with pytest.raises(ClientRefused):
                await verb(name, display_name, landing_url, actor=WRITER)
        assert await clients.list(actor=READER) == []


async def test_members_are_changed_together_or_not_at_all():
    async with world_with_clients() as (world, clients):
        before = await clients.create_public("app", "App", "https://app.example.org", actor=WRITER)
        with pytest.raises(ClientRefused):
            await clients.change("app", {"short_username": True, "require_pkce": False}, actor=WRITER)
        assert await clients.get("app", actor=READER) == before
        changed = await clients.change("app", {"short_username": True, "partial_scopes": True}, actor=WRITER)
        assert replace(before, short_username=True, partial_scopes=True) == changed
        assert [details for _, _, details in await world.events("client.updated")] == [
            {
                "name": "app",
                "short_username": True,
                "partial_scopes": True,
                "changes": {
                    "partial_scopes": {"old": False, "new": True},
                    "short_username": {"old": False, "new": True},
                },
            }
        ]


async def test_switch_and_what_it_allows_may_be_set_in_one_change():
    async with world_with_clients() as (_world, clients):
        await clients.create_public("app", "App", "https://app.example.org", actor=WRITER)
        uri = "http://grafana.lan:3000/cb"
        with pytest.raises(ClientRefused, match="grafana"):
            await clients.change("app", {"redirect_uris": [uri]}, actor=WRITER)
        found = await clients.change("app", {"redirect_uris": [uri, uri], "http_redirects": True}, actor=WRITER)
        assert found.redirect_uris == (uri,)


@pytest.mark.parametrize(
    ("members", "told"),
    [
        ({"colour": "red"}, "A client has no 'colour'"),
        ({"name": "other"}, "given when it is created"),
        ({"kind": "public"}, "given when it is created"),
        ({"display_name": None}, "cannot be without display_name"),
        ({"short_username": "yes"}, "'yes' cannot be short_username"),
        ({"short_username": 1}, "'1' cannot be short_username"),
        ({"id_token_signed_response_alg": "none"}, "'none' cannot be id_token_signed_response_alg"),
        ({"redirect_uris": "https://x.example.org"}, "cannot be redirect_uris"),
        ({"redirect_uris": [1]}, "cannot be redirect_uris"),
        ({"redirect_uris": [f"https://x.example.org/{n}" for n in range(201)]}, "At most 200"),
    ],
)
async def test_what_a_client_cannot_have_is_named(members, told):
    async with world_with_clients() as (_world, clients):
        before = await clients.create_public("app", "App", "https://app.example.org", actor=WRITER)
        with pytest.raises(ClientRefused) as refusal:
            await clients.change("app", members, actor=WRITER)
        assert told in f"{refusal.value.detail} {refusal.value.hint}"
        assert await clients.get("app", actor=READER) == before


async def test_redirect_uris_are_added_once_and_stay_when_their_switch_is_turned_off():
    async with world_with_clients() as (_world, clients):
        await clients.create_confidential("wiki", "Wiki", "https://wiki.example.org", actor=WRITER)
        await clients.change("wiki", {"http_redirects": True}, actor=WRITER)
        plain, good = "http://wiki.lan/cb", "https://wiki.example.org/cb"
        await clients.add("wiki", "redirect_uris", plain, actor=WRITER)
        await clients.change("wiki", {"http_redirects": False}, actor=WRITER)
        for _ in range(2):
            found = await clients.add("wiki", "redirect_uris", good, actor=WRITER)
        assert found.redirect_uris == (plain, good)
        found = await clients.remove("wiki", "redirect_uris", good, actor=WRITER)
        assert found.redirect_uris == (plain,)
        with pytest.raises(NotFound, match="is not among the redirect URLs of wiki"):
            await clients.remove("wiki", "redirect_uris", good, actor=WRITER)
        with pytest.raises(ClientRefused, match="is one value"):
            await clients.add("wiki", "display_name", "x", actor=WRITER)


async def test_list_goes_on_after_a_name_and_has_the_scope_maps_of_each():
    async with world_with_clients() as (_world, clients):
        for name in ("a", "b", "c"):
            await clients.create_public(name, name, "https://app.example.org", actor=WRITER)
            await clients.update_scope_map(name, "users", ["openid", name], actor=WRITER)
        every = await clients.list(actor=READER)
        assert every == [await clients.get(name, actor=READER) for name in ("a", "b", "c")]
        assert await clients.list(after="a", at_most=1, actor=READER) == every[1:2]
        assert await clients.list(after="c", actor=READER) == []


async def test_profile_sets_what_its_standard_asks_and_what_is_given_beside_it_comes_first():
    async with world_with_clients() as (_world, clients):
        create = clients.create_confidential
        classic = await create("a", "A", "https://a.example.org", members={"profile": "classic"}, actor=WRITER)
        assert (classic.require_pkce, classic.id_token_signed_response_alg) == (False, "RS256")
        mixed = await create(
            "b", "B", "https://b.example.org", members={"profile": "classic", "require_pkce": True}, actor=WRITER
        )
        assert (mixed.require_pkce, mixed.id_token_signed_response_alg) == (True, "RS256")
        public = await clients.create_public("c", "C", "https://c.example.org", members={"profile": "classic"}, actor=WRITER)
        assert (public.require_pkce, public.id_token_signed_response_alg) == (True, "RS256"), "a public client keeps PKCE"
        back = await clients.change("a", {"profile": "oauth2.1"}, actor=WRITER)
        assert (back.profile, back.require_pkce, back.id_token_signed_response_alg) == ("oauth2.1", True, "ES256")
        assert (await create("d", "D", "https://d.example.org", actor=WRITER)).require_pkce, "the default"


async def test_renamed_client_keeps_all_but_its_name_its_issuer_and_its_tokens():
    async with world_with_clients() as (world, clients):
        alice = await world.person("alice", groups=("users",))
        cookie = await world.sign_in(alice)
        name, secret = await world.confidential_client()
        code = await world.code(cookie, **confidential_request())
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
        tokens = members(await world.token(basic(name, secret), **form))
        before = await clients.get(name, actor=READER)
        renamed = await clients.names.rename(name, "handbook", actor=WRITER)
        assert renamed.issuer_url == f"{ORIGIN}/oauth2/openid/handbook"
        same = {"name": name, "issuer_url": before.issuer_url, "configuration_url": before.configuration_url}
        assert replace(renamed, **same) == before
        with pytest.raises(ClientUnknown):
            await clients.get(name, actor=READER)
        again = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
        assert (await world.token(basic("handbook", secret), **again)).status == 400
        bearer = {"authorization": f"Bearer {tokens['access_token']}"}
        for place in ("handbook", name):
            answer = await world.call("GET", f"/oauth2/openid/{place}/userinfo", headers=bearer)
            assert answer.status in (401, 404), place
        assert await world.code(cookie, **confidential_request(client_id="handbook")), "what was allowed is allowed"
        await clients.create_public(name, "Another", "https://another.example.org", actor=WRITER)
        with pytest.raises(ClientExists, match="'handbook'"):
            await clients.names.rename(name, "handbook", actor=WRITER)
        with pytest.raises(ClientRefused):
            await clients.names.rename(name, "No name", actor=WRITER)


async def test_two_secrets_work_until_the_overlap_ends():
    async with world_with_clients() as (world, clients):
        alice = await world.person("alice", groups=("users",))
        cookie = await world.sign_in(alice)
        name, first = await world.confidential_client()

        async def status(secret):
            code = await world.code(cookie, **confidential_request())
            form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
            return (await world.token(basic(name, secret), **form)).status

        second = await clients.secrets.reset_basic_secret(name, overlap=timedelta(minutes=10), actor=WRITER)
        assert second.old_until == after(world.clock.now(), timedelta(minutes=10))
        assert [await status(each) for each in (first, second.secret)] == [200, 200]
        assert (await world.other_node().token(basic(name, first))).status == 400, "known on every node, and asked for a grant"
        third = await clients.secrets.reset_basic_secret(name, overlap=timedelta(minutes=20), actor=WRITER)
        assert [await status(each) for each in (first, second.secret, third.secret)] == [401, 200, 200], "two, never three"
        world.clock.advance(timedelta(minutes=20))
        assert [await status(each) for each in (second.secret, third.secret)] == [401, 200]
        with pytest.raises(ClientRefused):
            await clients.secrets.reset_basic_secret(name, overlap=timedelta(days=31), actor=WRITER)


async def test_hard_cut_ends_the_old_secret_and_every_token_and_an_overlap_neither():
    async with world_with_clients() as (world, clients):
        alice = await world.person("alice", groups=("users",))
        cookie = await world.sign_in(alice)
        name, secret = await world.confidential_client()

        async def tokens(secret):
            code = await world.code(cookie, **confidential_request())
            form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
            return members(await world.token(basic(name, secret), **form))

        async def userinfo(found):
            bearer = {"authorization": f"Bearer {found['access_token']}"}
            return (await world.call("GET", f"/oauth2/openid/{name}/userinfo", headers=bearer)).status

        found = await tokens(secret)
        second = (await clients.secrets.reset_basic_secret(name, overlap=timedelta(minutes=10), actor=WRITER)).secret
        assert await userinfo(found) == 200
        third = (await clients.secrets.reset_basic_secret(name, actor=WRITER)).secret
        assert await userinfo(found) == 401
        assert [(await world.token(basic(name, each))).status for each in (secret, second, third)] == [401, 401, 400]
        found = await tokens(third)
        keys = {key.id for key in await clients.keys.list_keys(name, actor=READER)}
        fourth = await clients.secrets.reset_secrets(name, actor=WRITER)
        assert await userinfo(found) == 401
        assert [(await world.token(basic(name, each))).status for each in (third, fourth)] == [401, 400]
        assert not keys & {key.id for key in await clients.keys.list_keys(name, actor=READER)}
        assert await userinfo(await tokens(fourth)) == 200
        written = str(await world.audit.newest(world.db, at_most=200))
        assert not any(each in written for each in (secret, second, third, fourth))


async def test_what_someone_may_not_do_with_a_client_is_on_record():
    async with oauth_world() as world:
        clients = world.server.clients
        await world.confidential_client()
        for call in (
            clients.secrets.show_basic_secret("wiki", actor=READER),
            clients.names.rename("wiki", "other", actor=READER),
            clients.create_public("own", "Own", "https://own.example.org", actor=READER),
        ):
            with pytest.raises(NotPermitted):
                await call
            world.clock.advance(timedelta(minutes=2))  # within a minute, refusals of one kind share a row
        events = await world.events("client.updated", "client.created")
        assert [event for event, outcome, _ in events if outcome == "refused"] == [
            "client.updated",
            "client.updated",
            "client.created",
        ]
