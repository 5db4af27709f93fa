"""Whatever a provisioner trusts by name is protected: a group, an address, a client. Each caller has the ordinary permission."""

import json
from contextlib import asynccontextmanager

import pytest
from msgspec.structs import replace

from sealwright.access import SYSTEM, BeyondOwnAuthority, Permission, Permissions
from sealwright.app.home import Home
from sealwright.errors import NotPermitted
from tests.databases import sqlite_database
from tests.unit.api.world import PEOPLE, ServerWorld, server_world

ADDRESS = f"{PEOPLE}/oauth2/openid/step/.well-known/openid-configuration"
ANY_NAME = "certificate:issue-any-name"


def definition(**members):
    return {"type": "OIDC", "name": "ops", "clientID": "step", "configurationEndpoint": ADDRESS, **members}


@asynccontextmanager
async def world_with_ops(**members):
    """A world whose provisioner `ops` trusts this server's client `step`; `members` say whom it names."""
    async with server_world() as world:
        await world.provisioners.add(definition(**members), SYSTEM)
        yield world


async def expect_refused(world, token, method, path, body=None, **more):
    """The refusal of a call; it names the provisioner and the permission."""
    status, problem = await world.call(method, path, body, token=token, **more)
    assert (status, problem["code"]) == (403, "beyond_own_authority"), problem
    assert "the provisioner ops" in problem["detail"]
    assert any(ANY_NAME in reason for reason in problem["reasons"])
    return problem


async def group_with(world, name, *members):
    await world.directory.create_group(name, actor=SYSTEM)
    if members:
        await world.directory.add_members(name, members, actor=SYSTEM)


# --- groups ---


async def test_group_administrator_cannot_join_a_group_that_may_have_any_name():
    async with world_with_ops(admins=["ca-any-name"]) as world:
        token = await world.token("ga", "idm_group_admins")
        await group_with(world, "ca-any-name")
        problem = await expect_refused(world, token, "PATCH", "/groups/ca-any-name/members", {"add": ["ga"]})
        assert problem["detail"] == (
            "ga may not change the members of the group ca-any-name: the provisioner ops trusts the group name ca-any-name."
        )
        groups = await world.directory.groups_of((await world.directory.find("ga")).id)
        assert [group.name for group in groups] == ["idm_all_accounts", "idm_all_persons", "idm_group_admins"]


async def test_refused_change_of_a_named_group_is_in_the_audit_record():
    async with world_with_ops(admins=["ca-any-name"]) as world:
        token = await world.token("ga", "idm_group_admins")
        await group_with(world, "ca-any-name")
        await expect_refused(world, token, "PATCH", "/groups/ca-any-name/members", {"add": ["ga"]})
        newest = (await world.audit.newest(world.db, at_most=1))[0]
        assert (newest.event, newest.outcome) == ("group.members_changed", "refused")
        assert "the provisioner ops" in newest.details


async def test_group_inside_a_named_group_is_protected_too():
    async with world_with_ops(admins=["ca-any-name"]) as world:
        token = await world.token("ga", "idm_group_admins")
        await group_with(world, "innermost")
        await group_with(world, "inner", "innermost")
        await group_with(world, "ca-any-name", "inner")
        await group_with(world, "own", "ga")
        await expect_refused(world, token, "PATCH", "/groups/innermost/members", {"add": ["ga"]})
        await expect_refused(world, token, "PATCH", "/groups/inner/members", {"add": ["own"]})
        await expect_refused(world, token, "PATCH", "/groups/ca-any-name/members", {"add": ["own"]})


async def test_no_one_can_be_taken_out_of_a_named_group_without_its_authority():
    async with world_with_ops(admins=["ca-any-name"]) as world:
        token = await world.token("ga", "idm_group_admins")
        await world.person("alice")
        await group_with(world, "ca-any-name", "alice")
        await expect_refused(world, token, "PATCH", "/groups/ca-any-name/members", {"remove": ["alice"]})
        await expect_refused(world, token, "DELETE", "/groups/ca-any-name", query="even_if_used=true")


async def test_group_with_a_name_that_a_provisioner_lists_is_not_created_by_whoever_may_create_groups():
    async with world_with_ops(admins=["ca-any-name"]) as world:
        token = await world.token("ga", "idm_group_admins")
        await expect_refused(world, token, "POST", "/groups", {"name": "ca-any-name", "description": ""})
        assert (await world.call("POST", "/groups", {"name": "ca-any-names", "description": ""}, token=token))[0] == 201


async def test_group_that_is_given_by_its_id_keeps_its_protection():
    async with server_world() as world:
        token = await world.token("ga", "idm_group_admins")
        group = await world.directory.create_group("signers", actor=SYSTEM)
        await world.provisioners.add(definition(admins=[f"group:{group.id}"]), SYSTEM)
        await expect_refused(world, token, "PATCH", "/groups/signers/members", {"add": ["ga"]})


async def test_who_may_issue_any_name_changes_a_named_group_with_the_ordinary_permission():
    async with world_with_ops(admins=["ca-any-name"]) as world:
        await group_with(world, "ca-any-name")
        both = await world.token("both", "idm_group_admins", "ca_admins")
        assert (await world.call("PATCH", "/groups/ca-any-name/members", {"add": ["both"]}, token=both))[0] == 200
        one = await world.token("one", "ca_admins")
        status, problem = await world.call("PATCH", "/groups/ca-any-name/members", {"add": ["one"]}, token=one)
        assert (status, problem["code"]) == (403, "not_permitted")


async def test_group_that_a_provisioner_only_asks_for_is_managed_as_any_group():
    async with world_with_ops(groups=["ca-users"]) as world:
        token = await world.token("ga", "idm_group_admins")
        assert (await world.call("POST", "/groups", {"name": "ca-users", "description": ""}, token=token))[0] == 201
        assert (await world.call("PATCH", "/groups/ca-users/members", {"add": ["ga"]}, token=token))[0] == 200


async def test_provisioner_of_a_file_protects_as_well(tmp_path):
    files = Home(tmp_path).provisioner_files
    files.mkdir()
    (files / "ops.json").write_text(json.dumps(definition(admins=["ca-any-name"])))
    async with sqlite_database() as db:
        world = ServerWorld(db, home=tmp_path)
        await world.seed()
        await world.provisioners.reload()
        token = await world.token("ga", "idm_group_admins", "idm_oauth2_admins")
        await group_with(world, "ca-any-name")
        await expect_refused(world, token, "PATCH", "/groups/ca-any-name/members", {"add": ["ga"]})
        await expect_refused(world, token, "POST", "/oauth2/clients", client_body())


async def test_names_of_another_provider_protect_nothing_here():
    async with server_world() as world:
        token = await world.token("ga", "idm_group_admins")
        foreign = definition(admins=["staff"], configurationEndpoint="https://accounts.example.com")
        await world.provisioners.add(foreign, SYSTEM)
        await group_with(world, "staff")
        assert (await world.call("PATCH", "/groups/staff/members", {"add": ["ga"]}, token=token))[0] == 200


# --- people ---


@pytest.mark.parametrize("spelling", ["boss@corp.example", "Boss@CORP.example"])
async def test_people_administrator_cannot_take_an_address_that_may_have_any_name(spelling):
    async with world_with_ops(admins=["boss@corp.example"]) as world:
        token = await world.token("pa", "idm_people_admins")
        await expect_refused(world, token, "PATCH", "/persons/pa", {"mails": [spelling]})
        made = {"name": "mole", "display_name": "Mole", "mails": ["mole@corp.example", spelling]}
        await expect_refused(world, token, "POST", "/persons", made)
        assert await world.directory.find("mole") is None


CHANGES_OF_A_PERSON = [
    ("PATCH", "", {"display_name": "Somebody"}),
    ("PATCH", "", {"mails": ["elsewhere@corp.example"]}),
    ("PUT", "/password", {"password": "marble-tangent-owl-31"}),
    ("POST", "/enable", None),
    ("POST", "/disable", None),
    ("DELETE", "", None),
]


async def expect_refused_over(world, token, name):
    for method, path, body in CHANGES_OF_A_PERSON:
        await expect_refused(world, token, method, f"/persons/{name}{path}", body)


async def test_person_whose_address_may_have_any_name_is_not_taken_over():
    async with world_with_ops(admins=["boss@corp.example"]) as world:
        token = await world.token("pa", "idm_people_admins")
        await world.person("boss", mails=("boss@corp.example",))
        await expect_refused_over(world, token, "boss")


async def test_person_whose_group_may_have_any_name_is_not_taken_over():
    async with world_with_ops(admins=["ca-any-name"]) as world:
        token = await world.token("pa", "idm_people_admins")
        await world.person("boss")
        await group_with(world, "inner", "boss")
        await group_with(world, "ca-any-name", "inner")
        await expect_refused_over(world, token, "boss")


async def test_person_who_is_given_by_id_is_not_taken_over():
    async with server_world() as world:
        token = await world.token("pa", "idm_people_admins")
        boss = await world.person("boss")
        await world.provisioners.add(definition(admins=[f"account:{boss.id}"]), SYSTEM)
        await expect_refused_over(world, token, "boss")


async def test_password_and_second_factor_of_whoever_may_have_any_name_are_not_reset():
    async with world_with_ops(admins=["boss@corp.example"]) as world:
        await world.token("pa", "idm_people_admins")
        await world.person("boss", mails=("boss@corp.example",))
        actor = (await world.signed_in("pa")).signed_in.actor
        for verb in (world.reset.create, world.credentials.remove_second_factors):
            with pytest.raises(BeyondOwnAuthority) as told:
                await verb("boss", actor=actor)
            assert "the provisioner ops" in told.value.detail


# --- clients ---


def client_body(**members):
    return {"name": "step", "display_name": "step", "kind": "public", "landing_url": "https://ca.example.org", **members}


CHANGES_OF_A_CLIENT = [
    ("PATCH", "", {"display_name": "Other"}),
    ("PATCH", "", {"landing_url": "https://evil.example"}),
    ("PATCH", "", {"localhost_redirects": True}),
    ("PATCH", "", {"require_pkce": False}),
    ("PATCH", "", {"consent_prompt": False}),
    ("PATCH", "", {"short_username": True}),
    ("PATCH", "", {"id_token_signed_response_alg": "RS256"}),
    ("PATCH", "", {"refresh_seconds": 3600}),
    ("POST", "/redirect-uris", {"value": "https://evil.example/cb"}),
    ("PUT", "/scope-maps/idm_oauth2_admins", {"scopes": ["openid", "email"]}),
    ("DELETE", "/scope-maps/idm_oauth2_admins", None),
    ("GET", "/secret", None),
    ("POST", "/secret", None),
    ("DELETE", "", None),
]


@pytest.mark.parametrize("kind", ["public", "confidential"])
@pytest.mark.parametrize("change", CHANGES_OF_A_CLIENT, ids=lambda change: f"{change[0]} {change[1]} {change[2]}")
async def test_client_administrator_cannot_change_a_client_that_a_provisioner_trusts(kind, change):
    async with world_with_ops() as world:
        create = world.oauth.clients.create_public if kind == "public" else world.oauth.clients.create_confidential
        await create("step", "step", "https://ca.example.org", actor=SYSTEM)
        token = await world.token("oa", "idm_oauth2_admins")
        method, path, content = change
        await expect_refused(world, token, method, f"/oauth2/clients/step{path}", content)


async def test_redirect_url_of_a_trusted_client_is_not_removed_by_a_client_administrator():
    async with world_with_ops() as world:
        await world.oauth.clients.create_public("step", "step", "https://ca.example.org", actor=SYSTEM)
        token = await world.token("oa", "idm_oauth2_admins")
        await expect_refused(world, token, "DELETE", "/oauth2/clients/step/redirect-uris", query="value=https://ca.example.org")


@pytest.mark.parametrize("kind", ["public", "confidential"])
async def test_client_with_a_name_that_a_provisioner_trusts_is_not_created_by_whoever_may_create_clients(kind):
    async with world_with_ops() as world:
        token = await world.token("oa", "idm_oauth2_admins")
        await expect_refused(world, token, "POST", "/oauth2/clients", client_body(kind=kind))
        assert (await world.call("POST", "/oauth2/clients", client_body(name="steps"), token=token))[0] == 201


async def test_who_may_issue_any_name_changes_a_trusted_client_with_the_ordinary_permission():
    async with world_with_ops() as world:
        both = await world.token("both", "idm_oauth2_admins", "ca_admins")
        assert (await world.call("POST", "/oauth2/clients", client_body(), token=both))[0] == 201
        changed = {"localhost_redirects": True}
        assert (await world.call("PATCH", "/oauth2/clients/step", changed, token=both))[0] == 200


# --- provisioners ---


async def test_provisioner_is_added_only_by_who_may_issue_any_name():
    async with server_world() as world:
        actor = (await world.person("carl", "ca_admins")).as_actor()
        rights = frozenset({Permission.PROVISIONER_WRITE})
        with pytest.raises(NotPermitted) as told:
            await world.provisioners.add(definition(), replace(actor, permissions=Permissions(rights)))
        assert ANY_NAME in told.value.detail
        await world.provisioners.add(
            definition(), replace(actor, permissions=Permissions(rights | {Permission.CERTIFICATE_ISSUE_ANY_NAME}))
        )


# --- what is used is not deleted without being told ---


async def test_group_that_a_client_uses_is_not_deleted_without_being_told():
    async with world_with_ops(groups=["step-users"]) as world:
        await group_with(world, "step-users")
        await world.oauth.clients.create_public("step", "step", "https://ca.example.org", actor=SYSTEM)
        await world.oauth.clients.update_scope_map("step", "step-users", ["openid"], actor=SYSTEM)
        token = await world.token("ga", "idm_group_admins")
        status, problem = await world.call("DELETE", "/groups/step-users", token=token)
        assert (status, problem["code"]) == (409, "group_in_use")
        assert problem["detail"] == ("The group step-users is used by the client step (map) and the provisioner ops (groups).")
        assert problem["remedy"] == {"action": "delete_group_in_use", "name": "step-users"}
        assert "even_if_used=true" in problem["hint"]
        assert await world.directory.find_group("step-users") is not None
        assert (await world.call("DELETE", "/groups/step-users", token=token, query="even_if_used=true"))[0] == 204
        newest = (await world.audit.newest(world.db, at_most=1))[0]
        assert newest.event == "group.deleted"
        assert json.loads(newest.details)["used_by"] == ["the client step (map)", "the provisioner ops (groups)"]


async def test_client_that_a_provisioner_trusts_is_not_deleted_without_being_told():
    async with world_with_ops() as world:
        await world.oauth.clients.create_public("step", "step", "https://ca.example.org", actor=SYSTEM)
        token = await world.token("both", "idm_oauth2_admins", "ca_admins")
        status, problem = await world.call("DELETE", "/oauth2/clients/step", token=token)
        assert (status, problem["code"], problem["detail"]) == (
            409,
            "client_in_use",
            "The client step is used by the provisioner ops.",
        )
        assert (await world.call("DELETE", "/oauth2/clients/step", token=token, query="even_if_used=true"))[0] == 204


@pytest.mark.parametrize("given", ["yes", "1", "TRUE", ""])
async def test_confirmation_that_is_neither_true_nor_false_is_refused(given):
    async with world_with_ops() as world:
        await group_with(world, "staff")
        token = await world.token("ga", "idm_group_admins")
        status, problem = await world.call("DELETE", "/groups/staff", token=token, query=f"even_if_used={given}")
        assert (status, problem["detail"]) == (400, f"even_if_used is '{given}'; it must be true or false.")


async def test_group_is_not_renamed_to_or_from_a_trusted_name_by_who_does_not_hold_what_it_carries():
    async with world_with_ops(admins=["ca-any-name"]) as world:
        token = await world.token("ga", "idm_group_admins")
        await group_with(world, "mine", "ga")
        await expect_refused(world, token, "PATCH", "/groups/mine", {"name": "ca-any-name"})
        await group_with(world, "ca-any-name")
        await expect_refused(world, token, "PATCH", "/groups/ca-any-name", {"name": "elsewhere"})


async def test_delegated_manager_of_a_trusted_group_cannot_change_who_is_in_it():
    async with world_with_ops(admins=["ca-any-name"]) as world:
        token = await world.token("mara")
        await world.directory.create_group("ca-any-name", managed_by="mara", actor=SYSTEM)
        for method, content in (("PATCH", {"add": ["mara"]}), ("PUT", {"members": ["mara"]})):
            await expect_refused(world, token, method, "/groups/ca-any-name/members", content)
        await expect_refused(world, token, "PATCH", "/groups/ca-any-name", {"description": "harmless"})


async def test_group_that_a_provisioner_knows_by_name_is_not_renamed_without_being_told():
    async with world_with_ops(groups=["ca-users"]) as world:
        await group_with(world, "ca-users")
        token = await world.token("ga", "idm_group_admins")
        status, problem = await world.call("PATCH", "/groups/ca-users", {"name": "users"}, token=token)
        assert (status, problem["code"], problem["remedy"]["action"]) == (409, "group_in_use", "rename_group_in_use")
        assert problem["detail"] == "The group ca-users is used by the provisioner ops (groups)."
        assert (await world.call("PATCH", "/groups/ca-users", {"name": "users"}, token=token, query="even_if_used=true"))[
            0
        ] == 200


async def test_everyone_gets_no_authority_by_a_name_that_a_provisioner_trusts():
    async with world_with_ops(admins=["ca-any-name"]) as world:
        both = await world.token("both", "idm_group_admins", "ca_admins")
        await group_with(world, "ca-any-name")
        members = {"add": ["idm_all_persons"]}
        status, problem = await world.call("PATCH", "/groups/ca-any-name/members", members, token=both)
        assert (status, problem["code"]) == (409, "built_in")
