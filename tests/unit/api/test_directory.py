from tests.unit.api.world import server_world
from tests.unit.identity.world import PASSWORD


async def test_person_lives_from_creation_to_deletion():
    async with server_world() as world:
        token = await world.token("ruth", "idm_people_admins")
        body = {"name": "alice", "display_name": "Alice Example", "mails": ["alice@example.org"]}
        status, made = await world.call("POST", "/persons", body, token=token)
        assert (status, made["spn"], made["state"]) == (201, "alice@example.org", "active")
        assert made["mails"] == [{"address": "alice@example.org", "verified": True}]
        status, problem = await world.call("POST", "/persons", body, token=token)
        assert (status, problem["code"]) == (409, "name_taken")
        status, changed = await world.call("PATCH", "/persons/alice", {"mails": ["a@example.org"]}, token=token)
        assert (status, changed["mails"][0]["address"]) == (200, "a@example.org")
        assert changed["display_name"] == "Alice Example"
        status, told = await world.call("PUT", "/persons/alice/password", {"password": PASSWORD}, token=token)
        assert (status, told) == (200, {"sessions_ended": 0, "certificates_ended": 0, "certificates_kept": 0})
        own = (await world.call("POST", "/login", {"name": "alice", "password": PASSWORD}))[1]["token"]
        status, changed = await world.call("POST", "/persons/alice/disable", token=token)
        assert (status, changed["state"], changed["state_reason"]) == (200, "disabled", "the account is disabled")
        assert (await world.call("GET", "/whoami", token=own))[0] == 401
        status, changed = await world.call("POST", "/persons/alice/enable", token=token)
        assert (status, changed["state"]) == (200, "active")
        assert await world.call("DELETE", "/persons/alice", token=token) == (204, None)
        status, problem = await world.call("GET", "/persons/alice", token=token)
        assert (status, problem["code"]) == (404, "account_not_found")


async def test_change_of_nothing_is_refused():
    async with server_world() as world:
        token = await world.token("ruth", "idm_people_admins")
        status, problem = await world.call("PATCH", "/persons/ruth", {}, token=token)
        assert (status, problem["detail"]) == (400, "Nothing is to be changed.")


async def test_everyone_may_see_themselves():
    async with server_world() as world:
        token = await world.token("alice")
        status, found = await world.call("GET", "/persons/alice", token=token)
        assert (status, found["name"], found["groups"]) == (200, "alice", ["idm_all_accounts", "idm_all_persons"])


async def test_people_are_listed_page_by_page():
    async with server_world() as world:
        token = await world.token("ruth", "idm_people_admins")
        for number in range(5):
            await world.person(f"p{number}", password=None)
        seen, query = [], "limit=2"
        while True:
            _, page = await world.call("GET", "/persons", token=token, query=query)
            seen += [each["name"] for each in page["items"]]
            if page["next"] is None:
                break
            query = f"limit=2&after={page['next']}"
        assert seen == ["p0", "p1", "p2", "p3", "p4", "ruth"]


async def test_weak_password_is_refused_with_reasons():
    async with server_world() as world:
        token = await world.token("ruth", "idm_people_admins")
        await world.person("alice", password=None)
        status, problem = await world.call("PUT", "/persons/alice/password", {"password": "alice123"}, token=token)
        assert (status, problem["code"]) == (400, "weak_password")
        assert problem["reasons"]
        assert "alice123" not in str(problem)


async def test_group_lives_and_changes_its_members():
    async with server_world() as world:
        token = await world.token("greta", "idm_group_admins")
        await world.person("alice", password=None)
        await world.person("bob", password=None)
        status, made = await world.call("POST", "/groups", {"name": "staff", "description": "All of us"}, token=token)
        assert (status, made["members"]) == (201, [])
        await world.call("POST", "/groups", {"name": "web-team"}, token=token)
        members = {"add": ["alice@example.org", "web-team"]}
        status, changed = await world.call("PATCH", "/groups/staff/members", members, token=token)
        assert (status, changed["members"]) == (200, ["alice@example.org", "web-team"])
        status, problem = await world.call("PATCH", "/groups/staff/members", {"add": ["bob", "eve"]}, token=token)
        assert (status, problem["code"], problem["reasons"]) == (404, "member_not_found", ["nothing was changed"])
        status, changed = await world.call("PATCH", "/groups/staff/members", {"remove": ["alice"]}, token=token)
        assert changed["members"] == ["web-team"]
        status, page = await world.call("GET", "/groups", token=token)
        assert {"staff", "web-team", "system_admins"} <= {each["name"] for each in page["items"]}
        assert await world.call("DELETE", "/groups/staff", token=token) == (204, None)
        assert (await world.call("GET", "/groups/staff", token=token))[0] == 404
        status, problem = await world.call("DELETE", "/groups/system_admins", token=token)
        assert (status, problem["code"]) == (409, "built_in")


async def test_adding_and_removing_at_once_is_refused():
    async with server_world() as world:
        token = await world.token("greta", "idm_group_admins")
        await world.call("POST", "/groups", {"name": "staff"}, token=token)
        for body in ({}, {"add": ["greta"], "remove": ["greta"]}):
            status, problem = await world.call("PATCH", "/groups/staff/members", body, token=token)
            assert (status, problem["code"]) == (400, "invalid_input")


async def test_audit_tells_who_did_what():
    async with server_world() as world:
        token = await world.token("ruth", "idm_people_admins", "auditors")
        _, made = await world.call("POST", "/persons", {"name": "alice", "display_name": "Alice"}, token=token)
        status, page = await world.call("GET", "/audit", token=token, query=f"target=person:{made['id']}")
        assert status == 200
        (event,) = page["events"]
        assert (event["event"], event["outcome"], event["actor"]["name"]) == ("person.created", "done", "ruth")
        assert event["details"]["name"] == "alice"
        _, page = await world.call("GET", "/audit", token=token, query="limit=1")
        assert len(page["events"]) == 1


async def test_person_is_renamed_and_the_session_goes_on():
    async with server_world() as world:
        token = await world.token("ruth", "idm_people_admins")
        own = await world.token("alice")
        status, changed = await world.call("PATCH", "/persons/alice", {"name": "alicia"}, token=token)
        assert (status, changed["spn"]) == (200, "alicia@example.org")
        assert (await world.call("GET", "/whoami", token=own))[1]["account"]["name"] == "alicia"
        assert (await world.call("GET", "/persons/alice", token=token))[0] == 404
        for name, expected in (
            ("ruth", (409, "name_taken")),
            ("system_admins", (409, "name_taken")),
            ("A b", (400, "name_refused")),
        ):
            status, problem = await world.call("PATCH", "/persons/alicia", {"name": name}, token=token)
            assert (status, problem["code"]) == expected
        assert (await world.call("PATCH", "/persons/alicia", {"name": "x"}, token=own))[0] == 403


async def test_validity_is_set_side_by_side():
    async with server_world() as world:
        token = await world.token("ruth", "idm_people_admins")
        own = await world.token("alice")
        path = "/persons/alice/validity"
        status, changed = await world.call("PATCH", path, {"valid_until": "2099-01-01T00:00:00+01:00"}, token=token)
        assert (status, changed["valid_from"], changed["valid_until"]) == (200, None, "2098-12-31T23:00:00Z")
        status, changed = await world.call("PATCH", path, {"valid_from": "2000-01-01T00:00:00Z"}, token=token)
        assert (changed["valid_from"], changed["valid_until"]) == ("2000-01-01T00:00:00Z", "2098-12-31T23:00:00Z")
        assert (await world.call("GET", "/whoami", token=own))[0] == 200
        status, changed = await world.call("PATCH", path, {"valid_until": "2001-01-01T00:00:00Z"}, token=token)
        assert (changed["state"], changed["state_reason"]) == ("not valid", "the account is no longer valid")
        status, changed = await world.call("PATCH", path, {"valid_until": None, "valid_from": None}, token=token)
        assert (changed["state"], changed["valid_from"], changed["valid_until"]) == ("active", None, None)
        assert (await world.call("GET", "/whoami", token=own))[0] == 401  # what ended stays ended
        begins, ends = "2002-01-01T00:00:00Z", "2001-01-01T00:00:00Z"
        for body, words in (
            ({}, "Nothing is to be changed."),
            ({"valid_until": "2001-01-01"}, "valid_until is '2001-01-01'; it must be a time with its zone"),
            ({"valid_from": begins, "valid_until": ends}, f"The end {ends} does not come after the beginning {begins}."),
        ):
            status, problem = await world.call("PATCH", path, body, token=token)
            assert (status, problem["detail"].startswith(words)) == (400, True)


async def test_group_is_changed_and_its_manager_changes_its_members():
    async with server_world() as world:
        token = await world.token("greta", "idm_group_admins")
        mara = await world.token("mara")
        await world.call("POST", "/groups", {"name": "staff", "managed_by": "mara"}, token=token)
        status, changed = await world.call("PUT", "/groups/staff/members", {"members": ["mara"]}, token=mara)
        assert (status, changed["members"], changed["managed_by"]) == (200, ["mara@example.org"], "mara@example.org")
        assert (await world.call("PATCH", "/groups/staff", {"name": "mine"}, token=mara))[0] == 403
        status, changed = await world.call("PATCH", "/groups/staff", {"name": "all", "managed_by": None}, token=token)
        assert (status, changed["name"], changed["managed_by"]) == (200, "all", None)
        status, problem = await world.call("PUT", "/groups/all/members", {"members": []}, token=mara)
        assert (status, problem["code"]) == (403, "not_permitted")
        status, problem = await world.call("PATCH", "/groups/all", {}, token=token)
        assert (status, problem["detail"]) == (400, "Nothing is to be changed.")
        status, problem = await world.call("PATCH", "/groups/all", {"managed_by": "nobody"}, token=token)
        assert (status, problem["code"]) == (404, "member_not_found")
        _, page = await world.call("GET", "/groups", token=token, query="search=AUDITORS")
        assert [each["name"] for each in page["items"]] == ["auditors"]
