from tests.unit.api.world import server_world


async def test_what_was_deleted_is_listed_and_revived():
    async with server_world() as world:
        token = await world.token("root", "system_admins")
        for name in ("alice", "bob"):
            await world.person(name, password=None)
            assert (await world.call("DELETE", f"/persons/{name}", token=token))[0] == 204
        _, page = await world.call("GET", "/recycle-bin/persons", token=token, query="limit=1")
        assert ([each["name"] for each in page["items"]], page["next"]) == (["alice"], "alice")
        assert (page["items"][0]["deleted_by"], "content" in page["items"][0]) == ("root", False)
        body = {"name": "alice", "display_name": "Another"}
        status, problem = await world.call("POST", "/persons", body, token=token)
        assert (status, problem["code"], problem["remedy"]) == (409, "name_taken", {"action": "revive", "name": "alice"})
        status, revived = await world.call("POST", "/recycle-bin/persons/alice/revive", token=token)
        assert (status, revived["name"], revived["lost_mails"]) == (200, "alice", [])
        assert (await world.call("GET", "/persons/alice", token=token))[0] == 200
        assert (await world.call("POST", "/recycle-bin/persons/alice/revive", token=token))[0] == 404
        assert (await world.call("GET", "/recycle-bin/groups", token=token))[1]["items"] == []
