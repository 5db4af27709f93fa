"""What would be issued, as the API tells it before any key is used."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from sealwright.access import SYSTEM
from tests.authorities import csr, key
from tests.unit.api.test_approvals import WEB, Office
from tests.unit.api.world import server_world

PREVIEW = "/certificate-requests/preview"


@pytest.fixture
async def office():
    async with server_world() as world:
        made = Office(world)
        await made.prepare()
        yield made


async def free(office):
    """Nothing asks for approval any more."""
    await office.world.app.parts.approval_rules.remove("profile:step_leaf", actor=SYSTEM)


async def preview(office, who="root", request=None, **members):
    body = {"csr": request or csr(WEB, (WEB,)), **({} if "token" in members else {"provisioner": "admin"}), **members}
    status, found = await office.call(who, "POST", PREVIEW, body)
    assert status == 200, found
    return found


async def issued(office):
    return (await office.world.stored("certificates")), (await office.world.stored("approval_requests"))


async def test_preview_tells_what_would_be_held_and_who_must_approve_and_holds_nothing(office):
    found = await preview(office)
    assert found["verdict"] == "needs_approval"
    assert "the profile step_leaf asks for the approval of one of the members of the group approvers" in found["reasons"]
    assert found["content"]["names"] == [f"dns:{WEB}"]
    assert await issued(office) == ([], [])


async def test_certificate_is_what_the_preview_said(office):
    await free(office)
    found = await preview(office)
    assert (found["verdict"], found["warnings"]) == ("allow", [])
    answer, made = await office.ask_api(csr(WEB, (WEB,)))
    assert answer.status == 201
    leaf = x509.load_pem_x509_certificate(made["certificate"].encode())
    assert [f"dns:{each}" for each in _names(leaf)] == found["content"]["names"]
    assert (await preview(office))["content"]["previous"] == made["serial"]


def _names(leaf):
    return leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName)


def mail_request(*addresses, names=()):
    """As `openssl req` makes it for a mail address in the subject."""
    attributes = [x509.NameAttribute(x509.OID_EMAIL_ADDRESS, each) for each in addresses]
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(attributes))
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([*map(x509.RFC822Name, names)]), critical=False)
    return builder.sign(key(), hashes.SHA256()).public_bytes(Encoding.PEM).decode()


@pytest.mark.parametrize("request_made", [mail_request("a@example.org"), mail_request(names=("a@example.org",))])
async def test_request_with_mail_names_alone_is_previewed_as_what_it_is(office, request_made):
    await free(office)
    found = await preview(office, request=request_made)
    assert (found["verdict"], found["content"]["names"]) == ("allow", ["email:a@example.org"]), found


async def test_request_without_a_name_is_said_to_have_none(office):
    found = await preview(office, request=mail_request())
    assert (found["verdict"], found["detail"]) == ("block", "The certificate would have no name: the request has none.")
    assert "web.csr" in found["hint"]


async def test_preview_says_why_it_would_be_refused(office):
    found = await preview(office, not_after="2030-01-01T00:00:00Z")
    assert (found["verdict"], found["content"]) == ("block", None)
    assert "the provisioner admin allows" in found["detail"]


async def test_key_of_a_revoked_certificate_is_warned_of(office):
    await free(office)
    _, made = await office.ask_api(csr(WEB, (WEB,)))
    assert (await office.call("root", "POST", f"/certificates/{made['serial']}/revoke", {"reason": "keyCompromise"}))[0] < 300
    found = await preview(office)
    assert found["verdict"] == "warn"
    assert "was revoked, and this one would have the same key" in found["warnings"][0]
    assert (await preview(office, request=csr(WEB, (WEB,), private=key("other"))))["verdict"] == "allow"


async def test_last_certificate_is_shown_to_those_alone_who_may_see_it(office):
    await free(office)
    await office.ask_api(csr(WEB, (WEB,)))
    found = await preview(office, "anna", csr(WEB, (WEB,), private=key("other")))
    assert (found["content"]["previous"], found["content"]["differences"]) == (None, [])


async def test_token_that_is_shown_for_a_preview_is_not_used_up(office):
    await free(office)
    token, request = office.token(), csr(WEB, (WEB,))
    assert (await preview(office, request=request, token=token))["verdict"] == "allow"
    status, _ = await office.call("root", "POST", "/certificates", {"csr": request, "token": token})
    assert status == 201


@pytest.mark.parametrize(
    ("members", "status"),
    [({"csr": "no request"}, 400), ({"provisioner": "admin", "token": "x"}, 400), ({"provisioner": ""}, 400)],
)
async def test_what_cannot_be_previewed_is_refused(office, members, status):
    body = {"csr": csr(WEB, (WEB,)), "provisioner": "admin", **members}
    assert (await office.call("root", "POST", PREVIEW, body))[0] == status


async def test_of_a_provider_of_others_only_a_token_says_who_would_ask(office):
    definition = {
        "type": "OIDC",
        "name": "keycloak",
        "clientID": "step",
        "configurationEndpoint": "https://sso.example.org/realms/a",
    }
    await office.world.provisioners.add(definition, SYSTEM)
    found = await preview(office, provisioner="keycloak")
    assert found["verdict"] == "block"
    assert "only such a token says whose names these are" in found["detail"]


async def test_preview_is_not_kept_although_it_came_with_a_key_for_repeating_it(office):
    body, again = {"csr": csr(WEB, (WEB,)), "provisioner": "admin"}, {"idempotency-key": "k-1"}
    status, _ = await office.world.call("POST", PREVIEW, body, token=office.tokens["root"], headers=again)
    assert status == 200
    assert await office.world.stored("idempotent_calls") == []
