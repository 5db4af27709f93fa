"""Approvals by the API: what is held is answered with 202 and where it is, and each channel says the same."""

import hashlib

import msgspec
import pytest
from sqlalchemy import delete

from sealwright.access import SYSTEM
from sealwright.clock import to_seconds
from sealwright.db import Statement
from sealwright.db.schema import audit_events
from sealwright.http import Request
from sealwright.identity import SessionKind
from sealwright.jose import jwk_of, sign
from tests.authorities import csr, key, signing_key
from tests.unit.api.world import MACHINES, server_world
from tests.unit.identity.world import PASSWORD

WEB = "web.example.org"
PROFILE = "/approval-rules/profile:step_leaf"


class Office:
    """A server whose profile asks for the approval of one of the approvers."""

    def __init__(self, world):
        self.world = world
        self.tokens = {}
        self._made = 0

    async def prepare(self):
        world = self.world
        await world.directory.create_group("approvers", actor=SYSTEM)
        for name, group in (("root", "system_admins"), ("anna", "approvers"), ("ben", "approvers"), ("mallory", "auditors")):
            self.tokens[name] = await world.token(name, group)
        signer = signing_key("jwk admin")
        definition = {"type": "JWK", "name": "admin", "key": jwk_of(signer.public_key, signer.id, "ES256")}
        await world.provisioners.add(definition, SYSTEM)
        assert (await self.call("root", "PUT", PROFILE, {"group": "approvers"}))[0] == 200

    async def call(self, who, method, path, body=None, query=""):
        return await self.world.call(method, path, body, token=self.tokens.get(who), query=query)

    def token(self, subject=WEB):
        self._made += 1
        now = to_seconds(self.world.clock.now())
        claims = {"iss": "admin", "sub": subject, "aud": f"{MACHINES}/1.0/sign", "iat": now, "nbf": now, "exp": now + 300}
        return sign(signing_key("jwk admin"), {**claims, "jti": hashlib.sha256(str(self._made).encode()).hexdigest()})

    async def ask_api(self, request, **members):
        answer = await self.world.send("POST", "/certificates", {"csr": request, "token": self.token(), **members})
        return answer, msgspec.json.decode(answer.body)

    async def ask_step(self, request):
        body = msgspec.json.encode({"csr": request, "ott": self.token()})
        answer = await self.world.answer(MACHINES, Request("POST", "/1.0/sign", "", {}, body, request_id="request-1"))
        return answer.status, msgspec.json.decode(answer.body)


@pytest.fixture
async def office():
    async with server_world() as world:
        made = Office(world)
        await made.prepare()
        yield made


async def test_held_certificate_is_answered_with_202_and_the_address_of_its_request(office):
    answer, held = await office.ask_api(csr(WEB, (WEB,)))
    assert answer.status == 202
    assert dict(answer.headers)["location"] == f"/api/v1/approvals/{held['approval']}"
    assert held["reasons"] == [
        "the profile step_leaf asks for the approval of one of the members of the group approvers; 0 of 1 are there"
    ]
    status, shown = await office.call("anna", "GET", f"/approvals/{held['approval']}")
    assert (status, shown["state"], shown["may_vote"]) == (200, "pending", True)
    assert shown["content"]["names"] == [f"dns:{WEB}"]


async def test_same_request_once_more_gets_the_certificate_after_the_approval(office):
    request = csr(WEB, (WEB,))
    _, held = await office.ask_api(request)
    status, decided = await office.call("anna", "POST", f"/approvals/{held['approval']}/approve", {"comment": "ours"})
    assert (status, decided["state"]) == (200, "approved")
    answer, issued = await office.ask_api(request)
    assert answer.status == 201
    assert issued["certificate"].startswith("-----BEGIN CERTIFICATE-----")
    _, shown = await office.call("anna", "GET", f"/approvals/{held['approval']}")
    assert (shown["state"], shown["result"]) == ("done", issued["serial"])
    assert shown["votes"][0]["comment"] == "ours"


RULES = {
    "nothing asks": ((), None),
    "one of a group": (("anna",), {"group": "approvers"}),
    "two of a group": (("anna", "ben"), {"group": "approvers", "votes": 2}),
    "holder of a role": (("root",), {"role": "r-admin"}),
}
"""Rule → who must approve, and how it is set."""


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("first", ["step", "api"])
async def test_every_channel_gives_the_same_verdict(office, rule, first):
    """What one channel holds, the other holds as the same request; what one releases, the other has released."""
    await office.world.app.parts.approval_rules.remove("profile:step_leaf", actor=SYSTEM)
    deciding, body = RULES[rule]
    if body is not None:
        assert (await office.call("root", "PUT", PROFILE, body))[0] == 200
    request = csr(WEB, (WEB,), private=key(f"{rule} {first}"))
    answer, by_api = await office.ask_api(request)
    step_status, by_step = await office.ask_step(request)
    if body is None:
        assert (answer.status, step_status) == (201, 201)
        return
    assert (answer.status, step_status) == (202, 409)
    assert by_step["message"] == f"{by_api['detail']} {by_api['hint']}"
    for who in deciding:
        status, _ = await office.call(who, "POST", f"/approvals/{by_api['approval']}/approve", {})
        assert status == 200
    if first == "step":
        assert (await office.ask_step(request))[0] == 201
        assert (await office.ask_api(request))[0].status == 201  # the same certificate again
    else:
        assert (await office.ask_api(request))[0].status == 201
        assert (await office.ask_step(request))[0] == 201


async def test_lists_say_what_waits_for_me_and_what_i_asked_for(office):
    await office.ask_api(csr(WEB, (WEB,)))
    assert len((await office.call("anna", "GET", "/approvals"))[1]["items"]) == 1
    assert (await office.call("mallory", "GET", "/approvals"))[1]["items"] == []
    assert (await office.call("anna", "GET", "/approvals", query="show=mine"))[1]["items"] == []
    assert (await office.call("mallory", "GET", "/approvals", query="show=all"))[0] == 403
    assert len((await office.call("root", "GET", "/approvals", query="show=all"))[1]["items"]) == 1
    assert (await office.call("anna", "GET", "/approvals", query="show=everything"))[0] == 400


async def test_stranger_neither_sees_nor_decides(office):
    _, held = await office.ask_api(csr(WEB, (WEB,)))
    place = f"/approvals/{held['approval']}"
    assert (await office.call("mallory", "GET", place))[0] == 403
    status, problem = await office.call("mallory", "POST", f"{place}/approve", {})
    assert (status, problem["code"]) == (403, "may_not_vote")
    assert (await office.call("root", "GET", "/approvals/019a"))[0] == 404


async def test_second_vote_is_a_conflict_and_a_long_comment_is_refused(office):
    assert (await office.call("root", "PUT", "/approval-rules/profile:server", {"group": "approvers"}))[0] == 200
    await office.call("root", "DELETE", "/approval-rules/profile:server")
    (waiting,) = (await office.call("anna", "GET", "/approvals"))[1]["items"]
    place = f"/approvals/{waiting['id']}"
    assert (await office.call("anna", "POST", f"{place}/approve", {"comment": "<b>" * 5_000}))[0] == 400
    await office.call("anna", "POST", f"{place}/reject", {"comment": "<script>alert(1)</script>"})
    status, problem = await office.call("anna", "POST", f"{place}/approve", {})
    assert (status, problem["code"]) == (409, "request_not_open")


async def test_change_of_a_rule_is_held_by_the_rule_and_applied_with_the_last_approval(office):
    status, held = await office.call("root", "PUT", PROFILE, {"group": "approvers", "votes": 2})
    assert status == 202
    (rule,) = (await office.call("root", "GET", "/approval-rules"))[1]["items"]
    assert rule["votes"] == 1
    shown = (await office.call("anna", "GET", f"/approvals/{held['approval']}"))[1]
    assert (shown["content"]["before"]["votes"], shown["content"]["after"]["votes"]) == (1, 2)
    status, decided = await office.call("anna", "POST", f"/approvals/{held['approval']}/approve", {})
    assert (status, decided["state"]) == (200, "done")
    (rule,) = (await office.call("root", "GET", "/approval-rules"))[1]["items"]
    assert rule["votes"] == 2


async def test_change_that_was_based_on_another_rule_is_stale(office):
    _, first = await office.call("root", "PUT", PROFILE, {"group": "approvers", "votes": 1, "renewals": True})
    _, second = await office.call("root", "DELETE", PROFILE)
    assert (await office.call("anna", "POST", f"/approvals/{first['approval']}/approve", {}))[0] == 200
    status, problem = await office.call("anna", "POST", f"/approvals/{second['approval']}/approve", {})
    assert status == 409
    assert "was changed meanwhile" in problem["detail"]
    shown = (await office.call("root", "GET", f"/approvals/{second['approval']}"))[1]
    assert shown["state"] == "stale"


async def test_change_of_someone_who_lost_the_permission_is_not_applied(office):
    await office.world.person("boss", "system_admins")
    _, held = await office.call("root", "DELETE", PROFILE)
    await office.world.directory.remove_members("system_admins", ["root"], actor=SYSTEM)
    status, problem = await office.call("anna", "POST", f"/approvals/{held['approval']}/approve", {})
    assert (status, problem["code"]) == (409, "request_not_open")
    assert len((await office.call("ben", "GET", "/approvals"))[1]["items"]) == 0
    rules = await office.world.app.parts.approval_rules.all(actor=SYSTEM)
    assert [rule.object for rule, _ in rules] == ["profile:step_leaf"]


async def test_request_of_someone_who_was_disabled_is_dead(office):
    await office.world.person("boss", "system_admins")
    _, held = await office.call("root", "DELETE", PROFILE)
    await office.world.directory.disable("root", actor=SYSTEM)
    status, problem = await office.call("anna", "POST", f"/approvals/{held['approval']}/approve", {})
    assert (status, problem["code"]) == (409, "request_not_open")
    assert "root may not act any more" in problem["detail"]


async def test_owner_of_a_service_account_may_not_approve_what_it_asks_for(office):
    world = office.world
    await world.directory.add_members("system_admins", ["anna"], actor=SYSTEM)
    await office.call("anna", "POST", "/service-accounts", {"name": "robot", "display_name": "R", "managed_by": "anna"})
    await world.directory.add_members("system_admins", ["robot"], actor=SYSTEM)
    status, made = await office.call("anna", "POST", "/service-accounts/robot/api-tokens", {"label": "x", "read_only": False})
    assert status == 201, made
    office.tokens["robot"] = made["token"]
    status, held = await office.call("robot", "DELETE", PROFILE)
    assert status == 202, held
    place = f"/approvals/{held['approval']}"
    status, problem = await office.call("anna", "POST", f"{place}/approve", {})
    assert (status, problem["code"]) == (403, "may_not_vote")
    assert "can act as robot" in problem["reasons"][0]
    assert (await office.call("robot", "POST", f"{place}/approve", {}))[0] == 403
    assert (await office.call("ben", "POST", f"{place}/approve", {}))[1]["state"] == "done"


async def service_account(office, name, *, by="root"):
    """A service account that no one manages, and that administers the server; the id of the one token that it has."""
    await office.call(by, "POST", "/service-accounts", {"name": name, "display_name": "R"})
    await office.world.directory.add_members("system_admins", [name], actor=SYSTEM)
    status, made = await office.call(by, "POST", f"/service-accounts/{name}/api-tokens", {"label": "x", "read_only": False})
    assert status == 201, made
    office.tokens[name] = made["token"]
    return made["id"]


async def test_built_in_account_that_several_people_may_open_approves_nothing(office):
    world = office.world
    await office.call("root", "PUT", "/approval-rules/profile:server", {"role": "r-admin"})
    await world.credentials.recover_account("admin", PASSWORD, end_certificates=False)
    office.tokens["admin"] = (await world.signed_in("admin", kind=SessionKind.TERMINAL)).token
    _, held = await office.call("root", "DELETE", "/approval-rules/profile:server")
    status, problem = await office.call("admin", "POST", f"/approvals/{held['approval']}/approve", {})
    assert (status, problem["code"]) == (403, "may_not_vote")
    assert (await office.call("admin", "GET", "/approvals"))[1]["items"] == []


async def test_who_made_a_token_of_a_service_account_may_not_approve_what_it_asks_for(office):
    await office.world.directory.add_members("approvers", ["root"], actor=SYSTEM)
    await service_account(office, "robot")
    _, held = await office.call("robot", "DELETE", PROFILE)
    place = f"/approvals/{held['approval']}"
    status, problem = await office.call("root", "POST", f"{place}/approve", {})
    assert (status, problem["code"]) == (403, "may_not_vote")
    assert (await office.call("anna", "POST", f"{place}/approve", {}))[1]["state"] == "done"


async def test_purge_of_the_record_lets_no_one_approve_what_their_own_program_asks_for(office):
    await office.world.directory.add_members("approvers", ["root"], actor=SYSTEM)
    await service_account(office, "robot")

    async def purge(tx):
        await tx.run(Statement(delete(audit_events)))

    await office.world.db.write(purge)
    _, held = await office.call("robot", "DELETE", PROFILE)
    status, problem = await office.call("root", "POST", f"/approvals/{held['approval']}/approve", {})
    assert (status, problem["code"]) == (403, "may_not_vote")


async def test_who_lets_tokens_of_an_issuer_speak_of_a_service_account_may_not_approve_what_it_asks_for(office):
    await office.world.directory.add_members("approvers", ["root"], actor=SYSTEM)
    await office.world.directory.add_members("system_admins", ["anna"], actor=SYSTEM)
    await service_account(office, "robot", by="anna")
    await office.world.oauth.clients.create_public("jobs", "Jobs", "https://jobs.example.org", actor=SYSTEM)
    issuer = {"name": "ci", "issuer_url": "https://ci.example.org"}
    assert (await office.call("root", "POST", "/oauth2/trusted-issuers", issuer))[0] == 201
    rule = {"client": "jobs", "conditions": {"sub": "x"}, "service_account": "robot"}
    assert (await office.call("root", "POST", "/oauth2/trusted-issuers/ci/rules", rule))[0] == 201
    _, held = await office.call("robot", "DELETE", PROFILE)
    place = f"/approvals/{held['approval']}"
    assert (await office.call("root", "POST", f"{place}/approve", {}))[0] == 403
    assert (await office.call("ben", "POST", f"{place}/approve", {}))[1]["state"] == "done"


@pytest.mark.parametrize("change", ["issuer", "rule"])
async def test_who_changed_an_issuer_whose_tokens_speak_of_a_service_account_may_not_approve_what_it_asks_for(office, change):
    await office.world.directory.add_members("approvers", ["root"], actor=SYSTEM)
    await office.world.directory.add_members("system_admins", ["anna"], actor=SYSTEM)
    await service_account(office, "robot", by="anna")
    await office.world.oauth.clients.create_public("jobs", "Jobs", "https://jobs.example.org", actor=SYSTEM)
    trusted = office.world.oauth.trusted_issuers
    await trusted.create("ci", "https://ci.example.org", actor=SYSTEM)
    rule = await trusted.add_rule("ci", client="jobs", conditions={"sub": "x"}, service_account="robot", actor=SYSTEM)
    path, body = {"issuer": ("", {"reusable": True}), "rule": (f"/rules/{rule.id}", {"conditions": {"sub": "y"}})}[change]
    assert (await office.call("root", "PATCH", f"/oauth2/trusted-issuers/ci{path}", body))[0] == 200
    _, held = await office.call("robot", "DELETE", PROFILE)
    place = f"/approvals/{held['approval']}"
    assert (await office.call("root", "POST", f"{place}/approve", {}))[0] == 403
    assert (await office.call("ben", "POST", f"{place}/approve", {}))[1]["state"] == "done"


async def test_who_made_a_token_that_was_revoked_may_approve_what_is_asked_for_afterwards(office):
    await office.world.directory.add_members("approvers", ["root"], actor=SYSTEM)
    old = await service_account(office, "robot")
    await office.world.directory.add_members("system_admins", ["anna"], actor=SYSTEM)
    _, made = await office.call("anna", "POST", "/service-accounts/robot/api-tokens", {"label": "y", "read_only": False})
    assert (await office.call("root", "DELETE", f"/service-accounts/robot/api-tokens/{old}"))[0] == 204
    office.tokens["robot"] = made["token"]
    _, held = await office.call("robot", "DELETE", PROFILE)
    place = f"/approvals/{held['approval']}"
    assert (await office.call("anna", "POST", f"{place}/approve", {}))[0] == 403
    assert (await office.call("root", "POST", f"{place}/approve", {}))[1]["state"] == "done"


async def test_who_stored_a_provisioner_by_a_service_account_may_not_approve_what_its_key_asks_for(office):
    await office.world.directory.add_members("approvers", ["root"], actor=SYSTEM)
    await service_account(office, "robot")
    signer = signing_key("jwk admin")
    assert (await office.call("root", "DELETE", "/provisioners/admin"))[0] == 204
    definition = {"type": "JWK", "name": "admin", "key": jwk_of(signer.public_key, signer.id, "ES256")}
    assert (await office.call("robot", "POST", "/provisioners", definition))[0] == 201
    _, held = await office.ask_api(csr(WEB, (WEB,)))
    status, problem = await office.call("root", "POST", f"/approvals/{held['approval']}/approve", {})
    assert (status, problem["code"]) == (403, "may_not_vote")


@pytest.mark.parametrize(
    ("guarded", "body", "words"),
    [
        ("profile:none", {"group": "approvers"}, "There is no profile none."),
        ("web", {"group": "approvers"}, "web can ask for no approval."),
        ("profile:server", {}, "a group or a role, one of the two"),
        ("profile:server", {"group": "approvers", "role": "r-admin"}, "a group or a role, one of the two"),
        ("profile:server", {"group": "nobody"}, "There is no group nobody."),
        ("profile:server", {"role": "r-nobody"}, "There is no role r-nobody."),
        ("profile:server", {"group": "idm_all_persons"}, "everyone is in it"),
        ("profile:server", {"group": "approvers", "votes": 0}, "votes is 0"),
        ("profile:server", {"group": "approvers", "expires_after": 1}, "expires_after is 1 seconds"),
    ],
)
async def test_rule_that_makes_no_sense_is_refused(office, guarded, body, words):
    status, problem = await office.call("root", "PUT", f"/approval-rules/{guarded}", body)
    assert status == 400
    assert words in problem["detail"]


async def test_rule_of_a_group_that_is_gone_is_removed_in_the_shell_of_the_server_alone(office):
    await office.world.directory.delete_group("approvers", actor=SYSTEM)
    status, problem = await office.call("root", "DELETE", PROFILE)
    assert (status, problem["code"]) == (403, "approvers_missing")
    assert problem["remedy"] == {"action": "remove_approval_rule", "name": "profile:step_leaf"}
    assert "in the shell of the server" in problem["hint"]
    await office.world.app.parts.approval_rules.remove("profile:step_leaf", actor=SYSTEM)
    answer, _ = await office.ask_api(csr(WEB, (WEB,)))
    assert answer.status == 201


async def guard_administrators(office):
    assert (await office.call("root", "PUT", "/approval-rules/role:r-admin", {"group": "approvers"}))[0] == 200


async def test_grant_of_a_role_that_asks_for_approval_is_made_with_the_last_approval(office):
    await guard_administrators(office)
    await office.world.person("newbie")
    status, held = await office.call("root", "POST", "/auth/grants", {"role": "r-admin", "person": "newbie"})
    assert status == 202
    _, grants = await office.call("root", "GET", "/auth/grants", query="role=r-admin")
    assert "newbie" not in [each["holder"] for each in grants["items"]]
    _, decided = await office.call("anna", "POST", f"/approvals/{held['approval']}/approve", {})
    _, grants = await office.call("root", "GET", "/auth/grants", query="role=r-admin")
    (made,) = [each for each in grants["items"] if each["holder"] == "newbie"]
    assert (decided["state"], decided["result"]) == ("done", made["id"])


async def test_who_would_hold_the_role_does_not_approve_it(office):
    await guard_administrators(office)
    _, held = await office.call("root", "POST", "/auth/grants", {"role": "r-admin", "person": "anna"})
    status, problem = await office.call("anna", "POST", f"/approvals/{held['approval']}/approve", {})
    assert (status, problem["code"]) == (403, "may_not_vote")
    assert (await office.call("ben", "POST", f"/approvals/{held['approval']}/approve", {}))[1]["state"] == "done"


async def test_role_that_asks_for_approval_is_not_given_in_another_way(office):
    """By a group that holds it, by another role that carries as much, or by a role that is changed to."""
    await guard_administrators(office)
    await office.world.person("newbie")
    everything = [each["permission"] for each in (await office.call("root", "GET", "/auth/permissions"))[1]["items"]]
    status, problem = await office.call("root", "PATCH", "/groups/system_admins/members", {"add": ["newbie"]})
    assert (status, problem["code"]) == (403, "approval_needed")
    assert (await office.call("root", "POST", "/auth/roles", {"id": "r-all", "permissions": everything}))[0] == 201
    assert (await office.call("root", "POST", "/auth/grants", {"role": "r-all", "person": "newbie"}))[0] == 202
    await office.call("root", "POST", "/auth/roles", {"id": "r-small", "permissions": ["person:read"]})
    assert (await office.call("root", "POST", "/auth/grants", {"role": "r-small", "person": "newbie"}))[0] == 201
    status, problem = await office.call("root", "PATCH", "/auth/roles/r-small", {"permissions": everything})
    assert (status, problem["code"]) == (403, "approval_needed")


async def test_grant_of_a_role_that_was_changed_meanwhile_is_stale(office):
    await office.world.person("newbie")
    await office.call("root", "POST", "/auth/roles", {"id": "r-desk", "permissions": ["person:read"]})
    await office.call("root", "PUT", "/approval-rules/role:r-desk", {"group": "approvers"})
    _, held = await office.call("root", "POST", "/auth/grants", {"role": "r-desk", "person": "newbie"})
    await office.world.roles.change("r-desk", permissions=["person:read", "session:read"], actor=SYSTEM)
    status, problem = await office.call("anna", "POST", f"/approvals/{held['approval']}/approve", {})
    assert (status, "was changed since it was asked for" in problem["detail"]) == (409, True)
