"""Profiles of certificates in a manifest: made, changed, exported and deleted."""

from typing import Any

from tests.unit.api.manifests.test_apply import administered, applied, changed

WEB: dict[str, Any] = {"name_types": ["dns"], "extended_uses": ["server_auth"], "default": "7d", "longest": "30d"}


def manifest(**members: Any) -> dict[str, Any]:
    return {"version": 1, "profiles": {"web": {**WEB, **members}}}


async def exported(world: Any, token: str) -> dict[str, Any]:
    status, page = await world.call("GET", "/manifest/profiles", token=token)
    assert status == 200, page
    return {each["name"]: each["entry"] for each in page["items"]}


async def test_manifest_makes_a_profile_and_a_second_time_nothing_however_its_lifetimes_are_written():
    async with administered() as (world, token):
        status, body = await applied(world, token, manifest())
        assert (status, changed(body)) == (200, [("create", "profile", "web")]), body
        for members in ({}, {"default": "168h", "longest": "720h"}, {"default": "167h60m"}):
            assert (await applied(world, token, manifest(**members)))[1]["changes"] == []
        status, body = await applied(world, token, manifest(longest="47d"))
        [change] = body["changes"]
        assert [(each["name"], each["before"], each["after"]) for each in change["members"]] == [
            ("longest", "720h0m0s", "1128h0m0s")
        ]


async def test_export_of_profiles_applied_to_an_empty_server_exports_the_same():
    async with administered() as (world, token):
        await applied(world, token, manifest())
        first = await exported(world, token)
        assert (first["web"]["default"], first["web"]["longest"]) == ("168h0m0s", "720h0m0s")
    async with administered() as (world, token):
        status, body = await applied(world, token, {"version": 1, "profiles": first})
        assert status == 200, body
        assert await exported(world, token) == first


async def test_lifetime_that_cannot_be_is_refused_with_its_place_and_nothing_is_changed():
    async with administered() as (world, token):
        await applied(world, token, manifest())
        status, body = await applied(world, token, manifest(longest="soon"))
        assert (status, body["pointer"]) == (400, "/profiles/web/longest"), body
        assert (await exported(world, token))["web"]["longest"] == "720h0m0s"


async def test_profile_that_is_not_named_is_deleted_where_that_is_asked_for():
    async with administered() as (world, token):
        await applied(world, token, manifest())
        status, body = await applied(world, token, {"version": 1, "prune": {"profiles": True}})
        assert (status, changed(body)) == (200, [("delete", "profile", "web")]), body
        assert await exported(world, token) == {}
