"""What every operation has in common: who asks, which parameters, which body, and how failures are told."""

import re

import msgspec
import pytest

from sealwright import errors
from sealwright.access import Permission
from sealwright.api import operations
from sealwright.api.operations import EACH, OWN
from sealwright.api.problems import answer_failure, status_of
from sealwright.http import Request
from sealwright.identity import SessionKind
from tests.unit.api.world import server_world

BODIES = {
    "create_audit_sink": {"name": "x", "url": "https://x.example.org/"},
    "set_mail_verification": {"verified": True},
    "add_to_import": {"people": [{"name": "x", "display_name": "X", "line": 1}]},
    "apply_manifest": {"version": 1},
    "update_profile": {"attributes": {"nickname": "Al"}},
    "add_ssh_key": {"public_key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"},
    "set_implicit_scopes": {"scopes": []},
    "set_supplementary_scope_map": {"scopes": ["edit"]},
    "set_claim_map": {"values": ["editor"]},
    "set_claim_join": {"join": "csv"},
    "create_person": {"name": "x", "display_name": "X"},
    "update_person": {"display_name": "X"},
    "remove_second_factors": {},
    "set_password": {"password": "velvet-orbit-canyon-98"},
    "invite_person": {"name": "x"},
    "create_reset_link": {},
    "create_group": {"name": "x"},
    "create_role": {"id": "r-x", "permissions": ["person:read"]},
    "update_role": {"description": "x"},
    "bootstrap": {"token": "x"},
    "create_oidc_provider": {"name": "x", "issuer_url": "https://x.example.org", "client_id": "x"},
    "register_own_oidc_provider": {},
    "test_oidc_provider": {"name": "x", "issuer_url": "https://x.example.org", "client_id": "x"},
    "update_oidc_provider": {"name": "x"},
    "add_group_mapping": {"provider_id": "x", "group_name": "x", "role_id": "r-viewer"},
    "grant_role": {"role": "r-viewer", "person": "x"},
    "change_members": {"add": ["x"]},
    "set_members": {"members": []},
    "set_account_policy": {"auth_expiry": 3600},
    "create_service_account": {"name": "x", "display_name": "X"},
    "update_service_account": {"display_name": "X"},
    "set_service_account_validity": {"valid_until": None},
    "create_api_token": {"label": "x"},
    "create_api_key": {"name": "x", "scopes": ["person:read"]},
    "rotate_api_key": {},
    "narrow_api_key": {},
    "update_group": {"description": "x"},
    "set_validity": {"valid_until": None},
    "create_client": {"kind": "public", "name": "x", "display_name": "X", "landing_url": "https://x.example.org"},
    "update_client": {"require_pkce": True},
    "add_to_grant_types": {"value": "client_credentials"},
    "set_client_image": {"content": "AAAA"},
    "rename_client": {"name": "y"},
    "rotate_client_keys": {},
    "create_issuer": {"name": "team"},
    "create_registration_token": {},
    "create_trusted_issuer": {"name": "x", "issuer_url": "https://x.example.org"},
    "update_trusted_issuer": {"reusable": True},
    "update_trusted_issuer_rule": {"lifetime_seconds": 60},
    "add_trusted_issuer_rule": {"client": "x", "conditions": {"sub": "x"}},
    "rotate_issuer_keys": {},
    "set_client_issuer": {"issuer": None},
    "set_scope_map": {"scopes": ["openid"]},
    "add_provisioner": {"type": "OIDC"},
    "create_certificate_profile": {"name": "x"},
    "update_certificate_profile": {"longest": "1h"},
    "revoke_certificate": {},
    "approve_request": {},
    "reject_request": {},
    "set_approval_rule": {"group": "x"},
    "explain_assertion": {"assertion": "x"},
    "preview_certificate": {"csr": "x", "provisioner": "x"},
    "issue_certificate": {"csr": "x", "token": "x"},
}
QUERIES = {
    "remove_from_grant_types": "value=client_credentials",
    "list_approvals": "show=all",
    "list_group_mappings": "provider_id=x",
    "list_sessions": "person=idm_admin",
    "list_api_keys": "person=idm_admin",
    "end_sessions": "person=idm_admin",
}


def body_for(name):
    return BODIES.get(name, {"value": "https://x.example.org"} if name.startswith("add_to_") else None)


def query_for(name):
    return "value=https://x.example.org" if name.startswith("remove_from_") else QUERIES.get(name, "")


def serial(path):
    return re.sub(r"\{\w+\}", "idm_admin", path).replace("certificates/idm_admin", f"certificates/{'01' * 20}")


async def test_no_one_may_do_anything_that_is_not_public():
    async with server_world() as world:
        asked = 0
        for operation in operations(world.api_dependencies):
            if operation.public:
                continue
            status, problem = await world.call(operation.method, serial(operation.path), body_for(operation.name))
            assert (operation.name, status, problem["code"]) == (operation.name, 401, "session_needed")
            asked += 1
        assert asked > 30


async def test_every_operation_refuses_who_lacks_the_permission_that_its_route_states():
    async with server_world() as world:
        token = await world.token("mallory")
        asked = 0
        for operation in operations(world.api_dependencies):
            stated = [permission for permission in Permission if str(permission) in operation.access]
            if not stated:
                continue
            status, problem = await world.call(
                operation.method,
                serial(operation.path),
                body_for(operation.name),
                token=token,
                query=query_for(operation.name),
            )
            if operation.name == "list_certificates":
                assert (status, problem["items"]) == (200, [])  # one's own, of which there are none
                continue
            assert (operation.name, status) == (operation.name, 403)
            assert problem["reasons"]
            asked += 1
        assert asked > 25


async def test_every_route_says_who_may_use_it():
    async with server_world() as world:
        for route in world.api_routes:
            words = {str(permission) for permission in Permission}
            assert route.access in words or route.access.startswith(("public: ", OWN, EACH))


async def test_session_of_a_browser_does_not_count():
    async with server_world() as world:
        token = await world.token("root", "system_admins", kind=SessionKind.BROWSER)
        status, problem = await world.call("GET", "/whoami", token=token)
        assert (status, "not one of a session at a terminal" in problem["detail"]) == (401, True)


async def test_token_that_was_never_given_out_is_challenged():
    async with server_world() as world:
        answer = await world.send("GET", "/whoami", token="made-up")
        assert answer.status == 401
        assert dict(answer.headers)["www-authenticate"] == 'Bearer realm="sealwright", error="invalid_token"'
        answer = await world.send("GET", "/whoami")
        assert dict(answer.headers)["www-authenticate"] == 'Bearer realm="sealwright"'


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"name": "x", "display_name": "X", "admin": true}', "The member admin is not known here."),
        (b'{"name": "x"}', "The member display_name is missing."),
        (b'{"name": 5, "display_name": "X"}', "The member name must be a text, not a whole number."),
        (b"{", "is not JSON: Expecting"),
        (b'{"name": "\xff", "display_name": "X"}', "not UTF-8"),
        (b"", "is not JSON: Expecting"),
    ],
)
async def test_body_that_does_not_fit_is_refused_by_name(body, words):
    async with server_world() as world:
        token = await world.token("root", "system_admins")
        status, problem = await world.call("POST", "/persons", body, token=token, headers={"content-type": "application/json"})
        assert (status, problem["code"]) == (400, "invalid_input")
        assert words in problem["detail"]


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", ""])
async def test_body_that_is_not_json_is_refused(content_type):
    async with server_world() as world:
        token = await world.token("root", "system_admins")
        headers = {"content-type": content_type}
        status, problem = await world.call("POST", "/groups", b'{"name": "x"}', token=token, headers=headers)
        assert (status, problem["code"]) == (415, "wrong_content_type")


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("fresh=1", "The parameter 'fresh' is not known here; there are after, limit, search."),
        ("limit=0", "limit is '0'"),
        ("limit=many", "limit is 'many'"),
        ("limit=1&limit=2", "more than once"),
    ],
)
async def test_parameters_that_are_not_understood_are_refused(query, words):
    async with server_world() as world:
        token = await world.token("root", "system_admins")
        status, problem = await world.call("GET", "/persons", token=token, query=query)
        assert status == 400
        assert words in problem["detail"]


async def test_body_where_none_is_taken_is_refused():
    async with server_world() as world:
        token = await world.token("root", "system_admins")
        status, problem = await world.call("POST", "/logout", {"all": True}, token=token)
        assert (status, problem["detail"]) == (400, "This operation takes no body.")


def subclasses(kind):
    return {each for child in kind.__subclasses__() for each in (child, *subclasses(child))}


def test_every_refusal_has_a_status_of_its_own_kind():
    for kind in subclasses(errors.Refused) | {errors.Conflict, errors.Unavailable}:
        assert 400 <= status_of(kind).value <= 503, kind


def test_fault_tells_nothing_but_the_request_id():
    request = Request("GET", "/api/v1/persons", request_id="0b5e")
    for fault in (RuntimeError("password=hunter2"), errors.Failure("table persons is broken")):
        answer = answer_failure(request, fault)
        problem = msgspec.json.decode(answer.body)
        assert answer.status == 500
        assert problem["request_id"] == "0b5e"
        assert problem["detail"] == "Something went wrong in the server."
        assert b"hunter2" not in answer.body
        assert b"persons is" not in answer.body


def test_problem_says_when_to_come_back():
    request = Request("POST", "/api/v1/login")
    answer = answer_failure(request, errors.RateLimited("Too many attempts.", retry_after=7))
    assert (answer.status, dict(answer.headers)["retry-after"]) == (429, "7")


async def test_description_covers_every_route_and_all_its_references_lead_somewhere():
    async with server_world() as world:
        answer = await world.send("GET", "/openapi.json")
        document = msgspec.json.decode(answer.body)
        described = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
        assert described == {(route.method, route.path) for route in world.api_routes}
        references = set(re.findall(rb'"\$ref":"#/components/schemas/(\w+)"', answer.body))
        assert {name.decode() for name in references} <= set(document["components"]["schemas"])
        names = [each["operationId"] for methods in document["paths"].values() for each in methods.values()]
        assert len(names) == len(set(names))
    assert document["components"]["x-problems"]["name_taken"]["status"] == 409
    assert document["components"]["schemas"]["PersonBody"]["additionalProperties"] is False
    assert document["paths"]["/api/v1/login"]["post"]["security"] == []


async def test_type_of_a_problem_is_described():
    async with server_world() as world:
        token = await world.token("root", "system_admins")
        await world.call("POST", "/groups", {"name": "staff"}, token=token)
        status, problem = await world.call("POST", "/groups", {"name": "staff"}, token=token)
        assert status == 409
        _, document = await world.call("GET", "/openapi.json")
        place, _, pointer = problem["type"].partition("#/")
        assert place == "/api/v1/openapi.json"
        for step in pointer.split("/"):
            document = document[step]
        assert document["status"] == 409
