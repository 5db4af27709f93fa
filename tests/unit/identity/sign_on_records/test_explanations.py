"""Why a sign-in came out as it did: claim, groups, mappings, roles, permissions, or the check that failed."""

import base64
import json
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from sealwright.access import NO_PERMISSIONS, SYSTEM, Actor, Permission
from sealwright.cli.provider_sign_ins import explanation as as_lines
from sealwright.errors import NotPermitted
from sealwright.identity import RefusedSignOn, SignInRecords, SignOnRefused
from sealwright.identity.purge import purge
from sealwright.identity.sign_on_records.records import RECORDS_KEPT
from sealwright.identity.upstream.errors import SignInNotFound
from tests.foreign_provider import ISSUER, ForeignProvider, described
from tests.scripted_outbound import json_answer
from tests.unit.api.world import server_world
from tests.unit.identity.upstream.world import upstream_world


async def explained(world, sign_in_id):
    return await world.app.parts.sign_in_records.explain(sign_in_id, actor=SYSTEM)


async def refused(world, provider, **claims):
    with pytest.raises(SignOnRefused) as caught:
        await world.signed_on(provider, **claims)
    return caught.value


async def test_accepted_sign_in_is_explained_from_the_claim_to_the_permissions():
    async with upstream_world() as world:
        made = await world.with_mapping("auditing", "r-auditor")
        done = await world.signed_on(made, groups=["auditing", "lunch"])
        (record,) = await world.app.parts.sign_in_records.newest(at_most=5, actor=SYSTEM)
        found = await explained(world, record.id)
        assert (found.record.accepted, found.record.subject, found.account_name) == (True, "f4a1", "alice")
        assert found.record.account_id == done.completed.signed_in.account.id
        assert (found.record.seen.claim, found.record.seen.source) == ("groups", "id_token")
        assert [(each.group, each.role) for each in found.given] == [("auditing", "r-auditor")]
        assert found.permissions == (Permission.AUDIT_EXPORT, Permission.AUDIT_READ)
        assert found.unmapped == ("lunch",)


@pytest.mark.parametrize("near", ["Engineers", "/engineers"])
async def test_refused_sign_in_names_the_groups_seen_and_the_nearest_mapping(near):
    async with upstream_world() as world:
        made = await world.with_mapping("engineers", "r-operator")
        refusal = await refused(world, made, groups=[near, "lunch"])
        found = await explained(world, refusal.sign_in_id)
        assert (found.record.reason, found.account_name) == ("unmapped_groups", "")
        assert found.record.seen.groups == (near, "lunch")
        assert found.record.seen.near == ((near, "engineers"),)
        assert (found.given, found.permissions) == ((), ())


async def test_explanation_says_what_the_mappings_of_now_would_give():
    async with upstream_world() as world:
        made = await world.with_mapping("engineers", "r-operator")
        refusal = await refused(world, made, groups=["Engineers"])
        await world.providers.map_group(made.id, "Engineers", "r-viewer", actor=SYSTEM)
        found = await explained(world, refusal.sign_in_id)
        assert found.given == ()
        assert [(each.group, each.role) for each in found.given_now] == [("Engineers", "r-viewer")]


async def test_check_that_failed_before_the_groups_is_named_and_nothing_of_the_token_is_kept():
    async with upstream_world() as world:
        made = await world.with_mapping("engineers", "r-operator")
        refusal = await refused(world, made, nonce="another", email="alice@secret.example")
        found = await explained(world, refusal.sign_in_id)
        assert found.record.reason == RefusedSignOn.NONCE_MISMATCH
        assert (found.record.subject, found.record.seen.groups, found.record.seen.source) == ("", (), "")
        rows = await world.db.all(_everything())
        assert "secret.example" not in str(rows)
        assert "eyJ" not in str(rows)


def _everything():
    from sqlalchemy import select

    from sealwright.db import Statement
    from sealwright.db.schema import upstream_sign_ins

    return Statement(select(*upstream_sign_ins.c))


async def test_no_part_of_a_token_is_in_the_audit_record():
    async with upstream_world() as world:
        made = await world.with_mapping("engineers", "r-operator")
        await refused(world, made, groups=["lunch"])
        await world.signed_on(made)
        told = str(await world.events())
        assert "eyJ" not in told
        assert "Alice A." not in told.replace('"name": "Alice A."', "")


TEN_THOUSAND = [f"g{number}" for number in range(10_000)]


async def test_id_token_with_ten_thousand_groups_is_refused_by_its_length():
    async with upstream_world() as world:
        made = await world.with_mapping("g9999", "r-operator")
        begun = await world.sign_on.begin(made.id, return_to="/")
        query = world.provider.answer(begun.location)
        claims = json.dumps({"groups": TEN_THOUSAND}).encode()
        token = f"eyJhbGciOiJFUzI1NiJ9.{base64.urlsafe_b64encode(claims).decode()}.AAAA"
        world.provider.outbound.answers[f"{ISSUER}/token"] = json_answer({"access_token": "at", "id_token": token})
        with pytest.raises(SignOnRefused) as caught:
            await world.complete(query, begun.cookie)
        assert caught.value.reason == "token_too_long"
        assert "userinfo" in caught.value.hint


async def test_ten_thousand_groups_of_userinfo_are_read_and_explained_by_the_first_of_them():
    async with upstream_world() as world:
        world.provider.discovery["userinfo_endpoint"] = f"{ISSUER}/userinfo"
        world.provider.publish()
        world.provider.outbound.answers[f"{ISSUER}/userinfo"] = json_answer({"sub": "f4a1", "groups": TEN_THOUSAND})
        made = await world.with_mapping("g9999", "r-operator", userinfo_groups=True)
        await world.signed_on(made, groups=None)
        (record,) = await world.app.parts.sign_in_records.newest(at_most=5, actor=SYSTEM)
        assert (len(record.seen.groups), record.seen.in_all) == (200, 10_000)
        assert record.seen.mapped == (("g9999", "r-operator"),)


async def test_records_of_sign_ins_are_for_those_who_read_providers_and_end_after_a_month():
    async with upstream_world() as world:
        made = await world.with_mapping("engineers", "r-operator")
        refusal = await refused(world, made, groups=["lunch"])
        records = SignInRecords(world.db)
        with pytest.raises(NotPermitted):
            await records.explain(refusal.sign_in_id, actor=Actor("person", "x", "x", NO_PERMISSIONS))
        world.clock.advance(RECORDS_KEPT - timedelta(seconds=1))
        await purge(world.db, world.clock)
        assert await records.explain(refusal.sign_in_id, actor=SYSTEM)
        world.clock.advance(timedelta(seconds=2))
        await purge(world.db, world.clock)
        with pytest.raises(SignInNotFound):
            await records.explain(refusal.sign_in_id, actor=SYSTEM)


async def test_api_and_terminal_explain_a_sign_in_alike():
    async with server_world() as world:
        outbound: Any = world.app.around.outbound
        provider = ForeignProvider(outbound, world.clock)
        providers, sign_on = world.app.parts.upstream_providers, world.app.parts.sign_on
        made = await providers.create(described(), actor=SYSTEM)
        await providers.map_group(made.id, "engineers", "r-auditor", actor=SYSTEM)
        for groups in (["Engineers"], ["engineers"]):
            begun = await sign_on.begin(made.id, return_to="/")
            answer = provider.answer(begun.location, groups=groups)
            with suppress(SignOnRefused):
                await sign_on.complete(
                    answer, cookie=begun.cookie, address="192.0.2.9", user_agent="", held_token="", device_token=None
                )
            world.clock.advance(timedelta(seconds=1))
        chief = await world.token("chief", "system_admins")
        _, page = await world.call("GET", "/auth/oidc/sign-ins", token=chief)
        assert [(each["outcome"], each["reason"]) for each in page["items"]] == [("done", ""), ("refused", "unmapped_groups")]
        lines = []
        for each in page["items"]:
            status, found = await world.call("GET", f"/auth/oidc/sign-ins/{each['id']}", token=chief)
            assert status == 200
            lines.append("\n".join(as_lines(found)))
        assert "group engineers gave r-auditor: audit:export, audit:read" in lines[0]
        assert "failed check: unmapped_groups" in lines[1]
        assert "group Engineers is mapped as engineers: every character counts" in lines[1]
        assert (await world.call("GET", "/auth/oidc/sign-ins/nothing", token=chief))[0] == 404
