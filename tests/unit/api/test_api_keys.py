"""API keys of people: a part of what their owner may, for a while, known by a digest only."""

import json
from datetime import timedelta

import apsw
import pytest

from sealwright.access import SYSTEM
from sealwright.api import operations
from sealwright.clock import after, to_rfc3339
from sealwright.identity import ApiKeys, SessionKind
from sealwright.identity.api_keys.api_keys import MAX_KEYS
from sealwright.identity.api_keys.secret import new_api_key
from tests.unit.api.test_phases import BODIES, query_for, serial
from tests.unit.api.world import server_world
from tests.unit.identity.world import PASSWORD, sqlite_world

READING = ["person:read"]
SSH_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl alice@laptop"


async def make(world, token, name="backup", scopes=READING, **more):
    status, made = await world.call("POST", "/auth/keys", {"name": name, "scopes": list(scopes), **more}, token=token)
    assert status == 201, made
    return made


async def test_key_opens_what_its_scope_names_and_nothing_else():
    async with server_world() as world:
        root = await world.token("root", "system_admins")
        made = await make(world, root, scopes=["person:read", "r-auditor"])
        key = made["key"]
        assert made["beginning"] == key[:21]
        _, who = await world.call("GET", "/whoami", token=key)
        assert (who["account"]["name"], who["session"]["kind"]) == ("root", "api key")
        assert who["permissions"] == ["audit:export", "audit:read", "person:read"]
        assert (await world.call("GET", "/persons", token=key))[0] == 200
        assert (await world.call("GET", "/audit", token=key))[0] == 200
        status, problem = await world.call("POST", "/persons", {"name": "x", "display_name": "X"}, token=key)
        assert (status, problem["code"]) == (403, "not_permitted")


async def test_secret_is_in_one_answer_only_and_its_digest_alone_is_stored():
    async with server_world() as world:
        root = await world.token("root", "system_admins")
        made = await make(world, root)
        secret = made["key"][21:]
        for path in ("/auth/keys", f"/auth/keys/{made['id']}", "/audit"):
            response = await world.send("GET", path, token=root)
            assert response.status == 200
            assert secret.encode() not in response.body
        rows = await world.stored("api_keys")
        assert secret not in str(rows)
        assert made["id"] in str(rows)


@pytest.mark.parametrize("role", ["r-admin", "role:write"])
async def test_no_one_makes_a_key_that_may_more_than_they(role):
    async with server_world() as world:
        token = await world.token("vera")
        await world.roles.grant("r-viewer", person="vera", actor=SYSTEM)
        status, problem = await world.call("POST", "/auth/keys", {"name": "x", "scopes": [role]}, token=token)
        assert (status, problem["code"]) == (400, "api_key_refused")
        assert "role:write" in problem["detail"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"scopes": []}, "A key needs a scope"),
        ({"scopes": ["person:eat"]}, "'person:eat' is neither a permission nor a role"),
        ({"scopes": READING, "expires_at": "2020-01-01T00:00:00Z"}, "cannot expire at 2020-01-01"),
        ({"scopes": READING, "expires_at": "2099-01-01T00:00:00Z"}, "cannot expire at 2099-01-01"),
        ({"scopes": ["person:read"] * 65}, "65 permissions and roles are too many"),
    ],
)
async def test_key_that_cannot_be_is_refused_by_what_is_wrong(body, words):
    async with server_world() as world:
        token = await world.token("root", "system_admins")
        status, problem = await world.call("POST", "/auth/keys", {"name": "x", **body}, token=token)
        assert (status, problem["code"]) == (400, "api_key_refused")
        assert words in problem["detail"]
        assert (await world.call("GET", "/auth/keys", token=token))[1]["items"] == []


async def test_role_that_its_owner_lost_and_a_role_that_was_changed_count_at_the_next_use():
    async with server_world() as world:
        token = await world.token("vera")
        await world.roles.create("r-desk", description="", permissions=["person:read", "group:read"], actor=SYSTEM)
        grant = await world.roles.grant("r-desk", person="vera", actor=SYSTEM)
        key = (await make(world, token, scopes=["r-desk"]))["key"]
        assert (await world.call("GET", "/groups", token=key))[0] == 200
        await world.roles.change("r-desk", permissions=["person:read"], actor=SYSTEM)
        assert (await world.call("GET", "/groups", token=key))[0] == 403
        assert (await world.call("GET", "/persons", token=key))[0] == 200
        await world.roles.withdraw(grant.grant.id, actor=SYSTEM)
        assert (await world.call("GET", "/persons", token=key))[0] == 403


async def test_key_ends_with_its_time_and_with_its_owner():
    async with server_world() as world:
        root = await world.token("root", "system_admins")
        token = await world.token("pam", "idm_people_admins")
        short = await make(world, token, "short", expires_at=_in(world, hours=1))
        usual = await make(world, token, "usual")
        assert (await world.call("GET", "/whoami", token=short["key"]))[0] == 200
        world.clock.advance(timedelta(hours=1))
        assert (await world.call("GET", "/whoami", token=short["key"]))[0] == 401
        assert (await world.call("GET", "/whoami", token=usual["key"]))[0] == 200
        await world.directory.disable("pam", actor=SYSTEM)
        assert (await world.call("GET", "/whoami", token=usual["key"]))[0] == 401
        await world.directory.enable("pam", actor=SYSTEM)
        assert (await world.call("GET", "/whoami", token=usual["key"]))[0] == 401  # what ended stays ended
        await world.directory.delete("pam", actor=SYSTEM)
        assert (await world.call("GET", "/auth/keys", token=root, query="all=true"))[1]["items"] == []


async def test_key_of_a_deleted_person_opens_nothing_and_the_record_says_that_it_ended():
    async with server_world() as world:
        root = await world.token("root", "system_admins")
        made = await make(world, await world.token("pam", "idm_people_admins"))
        await world.directory.delete("pam", actor=SYSTEM)
        status, problem = await world.call("GET", "/persons", token=made["key"])
        assert (status, problem["ended"]) == (401, "invalid")
        assert "deleted with its owner" in problem["reasons"][0]
        _, page = await world.call("GET", "/audit", token=root, query="event=person.deleted")
        assert page["events"][0]["details"]["api_keys_ended"] == 1


async def test_key_of_someone_whose_password_was_reset_is_revoked():
    async with server_world() as world:
        made = await make(world, await world.token("pam", "idm_people_admins"))
        await world.credentials.set_password("pam", PASSWORD + "!", actor=SYSTEM)
        assert (await world.call("GET", "/whoami", token=made["key"]))[0] == 401


async def test_rotated_keys_that_are_still_good_are_bounded():
    async with server_world() as world:
        root = await world.token("root", "system_admins")
        key = first = await make(world, root)
        for _ in range(MAX_KEYS):
            status, key = await world.call("POST", f"/auth/keys/{key['id']}/rotate", {}, token=root)
            assert status == 201
        status, problem = await world.call("POST", f"/auth/keys/{key['id']}/rotate", {}, token=root)
        assert (status, "32 keys that were rotated" in problem["detail"]) == (409, True), problem
        assert (await world.call("DELETE", f"/auth/keys/{first['id']}", token=root))[0] == 204
        assert (await world.call("POST", f"/auth/keys/{key['id']}/rotate", {}, token=root))[0] == 201


async def test_rotation_gives_a_successor_and_both_are_good_for_the_overlap():
    async with server_world() as world:
        root = await world.token("root", "system_admins")
        old = await make(world, root)
        assert (await world.call("GET", "/persons", token=old["key"]))[0] == 200
        status, new = await world.call("POST", f"/auth/keys/{old['id']}/rotate", {"overlap": 3600}, token=root)
        assert (status, new["name"], new["scopes"]) == (201, "backup", READING)
        states = {each["id"]: each["state"] for each in (await world.call("GET", "/auth/keys", token=root))[1]["items"]}
        assert states == {old["id"]: "replaced", new["id"]: "active"}
        for key in (old["key"], new["key"]):
            assert (await world.call("GET", "/persons", token=key))[0] == 200
        status, problem = await world.call("POST", f"/auth/keys/{old['id']}/rotate", {}, token=root)
        assert (status, problem["code"]) == (409, "api_key_replaced")
        assert (await world.call("GET", f"/auth/keys/{new['id']}", token=root))[1]["used"]  # what it needs is still known
        world.clock.advance(timedelta(hours=1))
        assert (await world.call("GET", "/persons", token=old["key"]))[0] == 401
        assert (await world.call("GET", "/persons", token=new["key"]))[0] == 200


async def test_overlap_does_not_lengthen_the_life_of_a_key_and_none_ends_it_at_once():
    async with server_world() as world:
        root = await world.token("root", "system_admins")
        old = await make(world, root, expires_at=_in(world, minutes=5))
        await world.call("POST", f"/auth/keys/{old['id']}/rotate", {"overlap": 3600}, token=root)
        world.clock.advance(timedelta(minutes=5))
        assert (await world.call("GET", "/whoami", token=old["key"]))[0] == 401
        other = await make(world, root, "other")
        await world.call("POST", f"/auth/keys/{other['id']}/rotate", {"overlap": 0}, token=root)
        assert (await world.call("GET", "/whoami", token=other["key"]))[0] == 401


async def test_key_is_narrowed_to_what_it_was_really_used_with():
    async with server_world() as world:
        root = await world.token("root", "system_admins")
        made = await make(world, root, scopes=["r-viewer", "audit:read"])
        path = f"/auth/keys/{made['id']}"
        status, problem = await world.call("POST", f"{path}/narrow", {}, token=root)
        assert (status, problem["code"]) == (400, "api_key_refused")  # nothing would be left
        assert (await world.call("GET", "/persons", token=made["key"]))[0] == 200
        assert (await world.call("GET", "/groups/no-such-group", token=made["key"]))[0] == 404
        _, shown = await world.call("GET", path, token=root)
        assert [each["permission"] for each in shown["used"]] == ["group:read", "person:read"]
        assert {"audit:read", "client:read"} <= set(shown["unused"])
        status, narrowed = await world.call("POST", f"{path}/narrow", {}, token=root)
        assert (status, narrowed["scopes"], narrowed["unused"]) == (200, ["group:read", "person:read"], [])
        assert (await world.call("GET", "/audit", token=made["key"]))[0] == 403
        assert (await world.call("GET", "/groups", token=made["key"]))[0] == 200
        status, problem = await world.call("POST", f"{path}/narrow", {"scopes": ["audit:read"]}, token=root)
        assert (status, "audit:read" in problem["detail"]) == (400, True)  # it never grows


async def test_refused_use_is_not_counted_as_a_need():
    async with server_world() as world:
        root = await world.token("root", "system_admins")
        made = await make(world, root)
        assert (await world.call("GET", "/audit", token=made["key"]))[0] == 403
        assert (await world.call("GET", f"/auth/keys/{made['id']}", token=root))[1]["used"] == []


async def test_use_is_written_once_a_minute_and_once_an_hour_for_each_permission():
    async with server_world() as world:
        root = await world.token("root", "system_admins")
        key = (await make(world, root))["key"]
        await world.call("GET", "/persons", token=key)
        first = await world.stored("api_keys"), await world.stored("api_key_uses")
        world.clock.advance(timedelta(seconds=59))
        await world.call("GET", "/persons", token=key)
        assert (await world.stored("api_keys"), await world.stored("api_key_uses")) == first
        world.clock.advance(timedelta(seconds=1))
        await world.call("GET", "/persons", token=key)
        assert await world.stored("api_keys") != first[0]
        assert await world.stored("api_key_uses") == first[1]
        world.clock.advance(timedelta(hours=1))
        await world.call("GET", "/persons", token=key)
        assert await world.stored("api_key_uses") != first[1]


async def test_key_ends_with_the_second_factors_that_its_owner_lost_and_the_record_says_so():
    async with server_world() as world:
        root, alice = await world.token("root", "system_admins"), await world.token("alice")
        await world.roles.grant("r-viewer", person="alice", actor=SYSTEM)
        made, others = await make(world, alice), await make(world, root)
        status, removed = await world.call("POST", "/persons/alice/second-factors/remove", {}, token=root)
        assert (status, removed["api_keys_ended"]) == (200, 1)
        found = [(await world.call("GET", "/whoami", token=each["key"]))[0] for each in (made, others)]
        assert found == [401, 200]
        assert ("api_key.revoked", "done") in [each[:2] for each in await world.events(f"api_key:{made['id']}")]


async def test_keys_of_others_are_listed_and_ended_by_a_permission_only():
    async with server_world() as world:
        root, pam = await world.token("root", "system_admins"), await world.token("pam", "idm_people_admins")
        vera = await world.token("vera")
        await world.roles.grant("r-viewer", person="vera", actor=SYSTEM)
        made = await make(world, root)
        for query in ("all=true", "person=root"):
            _, page = await world.call("GET", "/auth/keys", token=vera, query=query)
            assert [(each["id"], each["owner"]) for each in page["items"]] == [(made["id"], "root")]
        for method, path, body in (("DELETE", "", None), ("POST", "/narrow", {"scopes": READING})):
            status, problem = await world.call(method, f"/auth/keys/{made['id']}{path}", body, token=vera)
            assert (status, problem["code"]) == (403, "not_permitted")
            assert (await world.audit.newest(world.db))[0].target == f"api_key:{made['id']}"
        assert (await world.call("DELETE", f"/auth/keys/{made['id']}", token=pam))[0] == 204
        assert (await world.call("GET", "/whoami", token=made["key"]))[0] == 401
        assert (await world.call("DELETE", f"/auth/keys/{made['id']}", token=pam))[0] == 404


async def test_someone_without_a_permission_does_not_learn_whether_a_key_exists():
    async with server_world() as world:
        root, bob = await world.token("root", "system_admins"), await world.token("bob")
        made = await make(world, root)
        answers = {
            (await world.call(method, f"/auth/keys/{key_id}", token=bob))[0]
            for method in ("GET", "DELETE")
            for key_id in (made["id"], "no-such-key")
        }
        assert answers == {403}


async def test_keys_of_everyone_come_page_by_page():
    async with server_world() as world:
        root = await world.token("root", "system_admins")
        made = {(await make(world, root, f"key {number}"))["id"] for number in range(5)}
        seen, query = [], "all=true&limit=2"
        while True:
            _, page = await world.call("GET", "/auth/keys", token=root, query=query)
            seen += [each["id"] for each in page["items"]]
            if page["next"] is None:
                break
            query = f"all=true&limit=2&after={page['next']}"
        assert seen == sorted(made)


async def test_key_cannot_do_what_a_person_has_to_do_themselves():
    async with server_world() as world:
        root = await world.token("root", "system_admins")
        key = (await make(world, root, scopes=["r-admin"]))["key"]
        refused = set()
        for operation in operations(world.api_dependencies):
            if operation.public:
                continue
            response = await world.send(
                operation.method,
                serial(operation.path).replace("idm_admin", "no-such-thing"),
                BODIES.get(operation.name) if operation.accepts else None,
                token=key,
                query=query_for(operation.name),
            )
            if response.status == 403 and json.loads(response.body)["code"] == "person_needed":
                refused.add(operation.name)
        assert refused == {
            *("logout", "reauth", "reauth_code", "approve_request", "reject_request"),
            *("create_oidc_provider", "update_oidc_provider", "add_group_mapping"),
            *("create_api_key", "rotate_api_key", "create_api_token", "create_registration_token"),
            *("set_password", "remove_second_factors", "create_reset_link", "invite_person", "add_ssh_key"),
            *("show_client_secret", "reset_client_secret", "reset_client_secrets", "register_own_oidc_provider"),
            "preview_certificate",
            *("begin_import", "add_to_import", "finish_import"),
            "add_provisioner",
            *("create_trusted_issuer", "update_trusted_issuer", "add_trusted_issuer_rule", "update_trusted_issuer_rule"),
        }


@pytest.mark.parametrize(
    "manifest",
    [
        {"clients": {"wiki": {"secret": "s" * 40}}},
        {"clients": {"wiki": {"token_endpoint_auth_method": "private_key_jwt", "jwks_uri": "https://wiki.example.org/keys"}}},
        {"people": {"root": {"ssh_public_keys": {"laptop": SSH_KEY}}}},
        {"provisioners": {"hers": {"type": "OIDC", "clientID": "x", "configurationEndpoint": "https://sso.example.org"}}},
    ],
    ids=lambda each: next(iter(each)),
)
async def test_key_makes_no_credential_by_a_manifest_either_and_the_record_says_so(manifest):
    async with server_world() as world:
        root = await world.token("root", "system_admins")
        await world.oauth.clients.create_confidential("wiki", "Wiki", "https://wiki.example.org", actor=SYSTEM)
        key = (await make(world, root, scopes=["r-admin"]))["key"]
        status, problem = await world.call("POST", "/manifest", {"version": 1, **manifest}, token=key)
        assert (status, problem["code"]) == (403, "person_needed"), problem
        assert "refused" in {outcome for _, outcome, _ in await world.events()}
        status, applied = await world.call("POST", "/manifest", {"version": 1, **manifest}, token=root)
        assert (status, bool(applied.get("changes"))) == (200, True), applied


async def test_change_by_a_key_is_recorded_with_the_key():
    async with server_world() as world:
        root = await world.token("root", "system_admins")
        made = await make(world, root, scopes=["person:write", "person:read"])
        world.clock.advance(timedelta(days=1))  # a key needs no recent sign-in
        assert (await world.call("POST", "/persons", {"name": "alice", "display_name": "A"}, token=made["key"]))[0] == 201
        row = next(each for each in await world.audit.newest(world.db) if each.event == "person.created")
        assert (row.actor_name, json.loads(row.details)["api_key"]) == ("root", made["id"])


async def test_name_is_taken_while_a_key_has_it_and_free_afterwards():
    async with server_world() as world:
        root = await world.token("root", "system_admins")
        made = await make(world, root)
        status, problem = await world.call("POST", "/auth/keys", {"name": "backup", "scopes": READING}, token=root)
        assert (status, problem["code"]) == (409, "label_taken")
        await world.call("DELETE", f"/auth/keys/{made['id']}", token=root)
        assert (await make(world, root))["id"] != made["id"]


async def test_key_is_no_cookie_and_no_sign_in_at_a_terminal():
    async with server_world() as world:
        key = (await make(world, await world.token("root", "system_admins")))["key"]
        for kind in (SessionKind.BROWSER, SessionKind.TERMINAL):
            assert await world.sessions.resolve(key, "192.0.2.1", kind=kind) is None


async def test_mistyped_key_costs_no_query():
    async with sqlite_world() as world:
        parts = world.app.parts
        key = new_api_key(world.entropy)
    keys = ApiKeys(world.db, world.audit, world.clock, world.entropy, parts.identity.changes)  # the database is closed
    mistyped = key[:-1] + ("A" if key[-1] != "A" else "B")
    assert await keys.resolve(mistyped, "192.0.2.1") is None
    with pytest.raises(apsw.ConnectionClosedError):
        await keys.resolve(key, "192.0.2.1")


def _in(world, **duration):
    return to_rfc3339(after(world.clock.now(), timedelta(**duration)))
