"""Which token is accepted for what, by the rules of its provisioner's type."""

import base64
import json
from datetime import timedelta
from functools import partial
from typing import Any

import jwt
import pytest

from sealwright import jose
from sealwright.ca.provisioners import Audiences, CredentialRefused, TokenPurpose, one_use, replay_id
from sealwright.ca.provisioners.authenticate import id_in_token
from sealwright.ca.provisioners.single_use import LONGEST_TOKEN_LIFE
from sealwright.clock import Instant, to_seconds
from sealwright.jose import UnverifiedToken
from sealwright.outbound import OutboundResponse
from tests.authorities import (
    ALICE,
    CA_URL,
    ENDPOINT,
    ISSUER_URL,
    common_name_in,
    csr,
    fingerprint_of,
    key,
    leaf_of,
    names_in,
    signing_key,
)
from tests.scripted_outbound import json_answer

ACCEPTED = Audiences(["ca.example.org", "192.0.2.7", "::1"])
WEB = "web.example.org"


async def sign(ca, token, request=None, **members):
    return await ca.call("POST", "/sign", {"csr": request or csr(), "ott": token, **members})


async def with_provider(ca, **members):
    ca.add_local_provider()
    await ca.add_oidc(**members)


# --- finding the provisioner -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("claims", "found"),
    [
        ({"aud": "https://ca.example.org/1.0/sign#x5c/name", "iss": "admin"}, "x5c/name"),
        ({"aud": "https://ca.example.org/1.0/sign", "iss": "admin"}, "admin:kid"),
        ({"aud": "https://CA.example.org:9443/sign", "iss": "admin", "azp": "z"}, "admin:kid"),
        ({"aud": "https://ca.example.org/1.0/ssh/sign", "iss": "admin"}, "admin:kid"),
        ({"aud": "step-certificate-authority", "iss": "admin"}, "admin:kid"),
        ({"aud": "https://ca.example.org/renew", "iss": "admin"}, "admin:kid"),
        ({"aud": "https://other.example.org/1.0/sign", "iss": "admin"}, "https://other.example.org/1.0/sign"),
        ({"aud": ["client", "another"], "iss": "https://id.example.org"}, "client"),
        ({"aud": ["another"], "azp": "client", "iss": "https://id.example.org"}, "client"),
        ({"aud": "client", "azp": "", "iss": "https://id.example.org"}, "client"),
        ({"aud": "client", "tid": "tenant", "email": "a@example.org", "iss": "https://id.example.org"}, "client"),
    ],
)
def test_provisioner_is_named_by_the_token_in_the_order_of_step_ca(claims, found):
    assert id_in_token({"kid": "kid"}, claims, ACCEPTED) == found


@pytest.mark.parametrize(
    ("audience", "operation", "accepted"),
    [
        ("https://ca.example.org/1.0/sign", TokenPurpose.SIGN, True),
        ("https://ca.example.org/sign", TokenPurpose.SIGN, True),
        ("https://ca.example.org:9443/1.0/sign", TokenPurpose.SIGN, True),
        ("https://192.0.2.7:9443/1.0/sign", TokenPurpose.SIGN, True),
        ("https://[::1]:9443/1.0/sign", TokenPurpose.SIGN, True),
        ("https://ca.example.org/1.0/ssh/sign", TokenPurpose.SIGN, True),
        ("step-certificate-authority", TokenPurpose.SIGN, True),
        ("step-certificate-authority", TokenPurpose.REVOKE, True),
        ("step-certificate-authority", TokenPurpose.RENEW, False),
        ("https://ca.example.org/1.0/revoke", TokenPurpose.SIGN, False),
        ("https://ca.example.org/1.0/sign", TokenPurpose.REVOKE, False),
        ("https://ca.example.org/renew", TokenPurpose.RENEW, True),
        ("http://ca.example.org/1.0/sign", TokenPurpose.SIGN, False),
        ("https://ca.example.org.evil.test/1.0/sign", TokenPurpose.SIGN, False),
        ("https://evil@ca.example.org/2.0/sign", TokenPurpose.SIGN, False),
        ("https://ca.example.org/1.0/sign?x=1", TokenPurpose.SIGN, False),
        ("https://ca.example.org/1.0/sign#x5c/a", TokenPurpose.SIGN, False),
        ("https://[::1/1.0/sign", TokenPurpose.SIGN, False),
        ("", TokenPurpose.SIGN, False),
    ],
)
def test_audience_is_one_of_our_names_whatever_the_port(audience, operation, accepted):
    assert ACCEPTED.match((audience,), operation) is accepted


async def test_token_of_an_unknown_provisioner_is_refused(ca):
    await with_provider(ca)
    await ca.add_jwk()
    for token in (
        ca.jwk_token(WEB, issuer="other"),
        ca.jwk_token(WEB, signer="another key"),
        ca.jwk_token(WEB, aud=f"{CA_URL}/1.0/sign#acme/name"),
        ca.id_token(aud="another", azp=None),
    ):
        status, answer = await sign(ca, token)
        assert (status, answer["status"]) == (401, 401)
        assert "does not exist here" in answer["message"]


@pytest.mark.parametrize("path", ["/sign", "/1.0/sign", "/1.0/ssh/sign", "/1.0/revoke"])
async def test_token_that_is_addressed_to_another_server_is_told_to_whom(ca, path):
    await ca.add_jwk()
    address = f"https://other.example.org{path}"
    status, answer = await sign(ca, ca.jwk_token(WEB, aud=address))
    assert (status, f"not addressed to this server's sign, but to {address}." in answer["message"]) == (401, True)
    assert "dns_names" in answer["message"]


async def refusals(ca):
    """Actor, target and details of each refused certificate that the record holds, oldest first."""
    rows = await ca.audit.newest(ca.db, at_most=50)
    found = [(row.actor_id, row.target, json.loads(row.details)) for row in rows if row.event == "certificate.refused"]
    return found[::-1]


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        ({"aud": "https://other.example.org/1.0/sign"}, "not addressed to this server's sign"),
        ({"aud": f"{CA_URL}/1.0/revoke"}, "not addressed to this server's sign"),
        ({"iat": -600, "nbf": -600, "exp": -300}, "expired at"),
    ],
)
async def test_genuine_token_of_a_key_that_is_refused_is_recorded_with_its_provisioner(ca, claims, words):
    await ca.add_jwk()
    now = to_seconds(ca.clock.now())
    given = {name: now + value if isinstance(value, int) else value for name, value in claims.items()}
    status, _ = await sign(ca, ca.jwk_token(WEB, **given))
    (provisioner,) = await ca.provisioners.all()
    ((actor, target, details),) = await refusals(ca)
    assert (status, actor, target) == (401, provisioner.actor.id, f"provisioner:{provisioner.id}")
    assert words in details["detail"]


@pytest.mark.parametrize(
    ("claims", "words"), [({"aud": "wiki"}, "The token is meant for wiki"), ({"iat": -900, "exp": -120}, "expired at")]
)
async def test_genuine_id_token_that_is_refused_is_recorded_with_its_person(ca, claims, words):
    await with_provider(ca)
    now = to_seconds(ca.clock.now())
    given = {name: now + value if isinstance(value, int) else value for name, value in claims.items()}
    status, _ = await sign(ca, ca.id_token(**given))
    ((actor, target, details),) = await refusals(ca)
    assert (status, actor, target.partition(":")[0]) == (401, ALICE, "provisioner")
    assert words in details["detail"]


async def test_token_that_was_not_signed_by_whom_it_names_is_recorded_as_no_ones(ca):
    await ca.add_jwk()
    await with_provider(ca)
    header, _, rest = ca.jwk_token(WEB, aud="https://other.example.org/1.0/sign").partition(".")
    forged = f"{header}.{rest.partition('.')[0]}.{'A' * 86}"
    assert (await sign(ca, forged))[0] == 401
    assert (await sign(ca, ca.id_token(signer="another key", aud="wiki")))[0] == 401
    assert await refusals(ca) == []


@pytest.mark.parametrize(("header", "claims", "member"), [({}, {"iss": "admin"}, "kid"), ({"kid": "k"}, {}, "iss")])
def test_token_that_does_not_say_which_provisioner_it_is_from_is_told_what_lacks(header, claims, member):
    with pytest.raises(CredentialRefused, match=f"has no {member}"):
        id_in_token(header, {"aud": "https://ca.example.org/1.0/sign", **claims}, ACCEPTED)


@pytest.mark.parametrize("token", ["x", "a.b.c", "..", "e30.e30.", "x" * 20_000, "\u00e4.b.c", "eyJhbGciOiJub25lIn0.e30."])
async def test_rubbish_is_no_token(ca, token):
    await ca.add_jwk()
    status, _ = await sign(ca, token)
    assert status == 401


# --- JWK -------------------------------------------------------------------------------------------------------------


async def test_subject_is_the_only_name_unless_names_are_given(ca):
    await ca.add_jwk()
    status, answer = await sign(ca, ca.jwk_token(WEB))
    assert status == 201, answer
    assert (common_name_in(leaf_of(answer)), names_in(leaf_of(answer))) == (WEB, [WEB])
    status, answer = await sign(ca, ca.jwk_token("web", sans=[WEB, "192.0.2.9", "a@example.org", "https://x.example.org/y"]))
    assert status == 201, answer
    assert common_name_in(leaf_of(answer)) == "web"
    assert names_in(leaf_of(answer)) == [WEB, "192.0.2.9", "a@example.org", "https://x.example.org/y"]


@pytest.mark.parametrize(
    ("common_name", "names", "status"),
    [
        ("", (), 201),
        (WEB, (), 201),
        (WEB, (WEB, "b.example.org"), 201),
        ("b.example.org", ("b.example.org", WEB), 201),
        (WEB, (WEB,), 403),
        (WEB, (WEB, "b.example.org", "c.example.org"), 403),
        ("c.example.org", (), 403),
        (WEB, (WEB, "b.example.org", "192.0.2.1"), 403),
        (WEB, ("alice@example.org",), 403),
    ],
)
async def test_request_asks_for_none_or_all_of_the_names_of_a_jwk_token(ca, common_name, names, status):
    await ca.add_jwk()
    token = ca.jwk_token(WEB, sans=[WEB, "b.example.org"])
    found, answer = await sign(ca, token, csr(common_name, names))
    assert found == status, answer
    if status == 201:
        assert names_in(leaf_of(answer)) == [WEB, "b.example.org"]


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "someone"},
        {"sub": ""},
        {"sub": None},
        {"sub": 5},
        {"exp": None},
        {"exp": "soon"},
        {"aud": None},
        {"aud": []},
        {"aud": [5]},
        {"aud": f"{CA_URL}/1.0/revoke"},
        {"aud": f"{CA_URL}/1.0/renew"},
        {"sans": [5]},
    ],
)
async def test_wrong_claim_of_a_jwk_token_is_refused(ca, claims):
    await ca.add_jwk()
    status, answer = await sign(ca, ca.jwk_token(WEB, **claims))
    assert status == 401, answer


@pytest.mark.parametrize(
    ("seconds", "claim", "status"),
    [(-61, "exp", 401), (-59, "exp", 201), (61, "nbf", 401), (59, "nbf", 201), (61, "iat", 401), (59, "iat", 201)],
)
async def test_clocks_may_differ_by_a_minute(ca, seconds, claim, status):
    await ca.add_jwk()
    await with_provider(ca)
    moment = to_seconds(ca.clock.now()) + seconds
    found, answer = await sign(ca, ca.jwk_token(WEB, **{claim: moment}))
    assert found == status, answer
    found, answer = await sign(ca, ca.id_token(**{claim: moment}))
    assert found == status, answer


async def test_token_from_before_the_start_of_the_process_is_good(ca):
    await ca.add_jwk()
    token = ca.jwk_token(WEB, iat=to_seconds(ca.clock.now()) - 3_000)
    assert (await sign(ca, token))[0] == 201


async def test_token_of_another_key_of_the_same_name_is_refused(ca):
    await ca.add_jwk()
    forged = jwt.encode(
        {"iss": "admin", "sub": WEB, "aud": f"{CA_URL}/1.0/sign", "exp": to_seconds(ca.clock.now()) + 60},
        key("forger"),
        algorithm="ES256",
        headers={"kid": signing_key("jwk admin").id},
    )
    status, answer = await sign(ca, forged)
    assert (status, answer["message"]) == (401, "The token's signature is wrong.")


async def test_secret_algorithms_and_none_are_refused(ca):
    await ca.add_jwk()
    claims = {"iss": "admin", "sub": WEB, "aud": f"{CA_URL}/1.0/sign", "exp": to_seconds(ca.clock.now()) + 60}
    headers = {"kid": signing_key("jwk admin").id}
    secrets: dict[str, Any] = {"HS256": "x" * 40, "none": None, "RS256": key("rsa", "RSA")}
    for algorithm, secret in secrets.items():
        status, answer = await sign(ca, jwt.encode(claims, secret, algorithm=algorithm, headers=headers))
        assert status == 401, answer
        assert "not allowed" in answer["message"]


async def test_token_bound_to_a_request_works_for_that_request_only(ca):
    await ca.add_jwk()
    request = csr(WEB, (WEB,))
    token = ca.jwk_token(WEB, cnf={"x5rt#S256": fingerprint_of(request)})
    status, answer = await sign(ca, token, csr(WEB, (WEB,), private=key("thief")))
    assert (status, answer["message"]) == (403, "The token was made for another certificate signing request.")
    assert (await sign(ca, token, request))[0] == 201
    status, _ = await sign(ca, ca.jwk_token(WEB, cnf={"jkt": "x"}), request)
    assert status == 403
    status, _ = await sign(ca, ca.jwk_token(WEB, cnf="x"), request)
    assert status == 403


async def test_claims_that_only_clients_read_do_not_matter(ca):
    await ca.add_jwk()
    token = ca.jwk_token(WEB, sha="0" * 64, user={"a": 1}, step={"ra": {}}, unknown=[1])
    assert (await sign(ca, token))[0] == 201


async def test_subject_that_is_too_long_for_a_common_name_stands_among_the_names_alone(ca):
    await ca.add_jwk()
    long = f"{'a' * 60}.example.org"
    status, answer = await sign(ca, ca.jwk_token(long), csr())
    assert status == 201, answer
    assert (common_name_in(leaf_of(answer)), names_in(leaf_of(answer))) == ("", [long])


# --- OIDC ------------------------------------------------------------------------------------------------------------

OWN = ["alice@example.org", f"{ISSUER_URL}#{ALICE}"]


@pytest.mark.parametrize(
    ("common_name", "names"),
    [
        ("", ()),
        (ALICE, tuple(OWN)),
        (ALICE, ("alice@example.org",)),
        ("alice@example.org", ("alice@example.org",)),
        ("alice@id.example.org", ("alice@id.example.org",)),
        ("alice", ("alice",)),
        (ALICE, ()),
        (ALICE, (f"{ISSUER_URL}#{ALICE}",)),
        ("alice@EXAMPLE.org", ("alice@EXAMPLE.org",)),
    ],
)
async def test_person_may_ask_by_mail_user_name_subject_or_nothing(ca, common_name, names):
    await with_provider(ca)
    status, answer = await sign(ca, ca.id_token(), csr(common_name, names))
    assert status == 201, answer
    assert (common_name_in(leaf_of(answer)), names_in(leaf_of(answer))) == (ALICE, OWN)


@pytest.mark.parametrize(
    ("common_name", "names", "refused"),
    [
        ("bob@example.org", ("bob@example.org",), "bob@example.org"),
        (ALICE, ("alice@example.org", "bob@example.org"), "bob@example.org"),
        ("web.example.org", ("web.example.org",), "web.example.org"),
        ("root", (), "root"),
        (ALICE, ("192.0.2.1",), "192.0.2.1"),
        (ALICE, ("https://example.org/admin",), "https://example.org/admin"),
        (ALICE, (f"{ISSUER_URL}#bob",), f"{ISSUER_URL}#bob"),
        ("Alice@example.org", ("Alice@example.org",), "Alice@example.org"),
        ("", ("alice@example.org.evil.test",), "alice@example.org.evil.test"),
    ],
)
async def test_any_other_name_is_refused_by_name_with_what_may_be_had(ca, common_name, names, refused):
    await with_provider(ca)
    status, answer = await sign(ca, ca.id_token(), csr(common_name, names))
    assert status == 403
    assert f"the name {refused}." in answer["message"]
    assert "You may have alice@example.org" in answer["message"]


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        ({"email": None}, "carries no mail address"),
        ({"email": ""}, "carries no mail address"),
        ({"email_verified": False}, "has not been verified"),
        ({"email_verified": None}, "has not been verified"),
        ({"email_verified": "true"}, "gives email_verified as a text"),
        ({"email_verified": 1}, "has not been verified"),
    ],
)
async def test_missing_or_unverified_mail_is_refused_in_words(ca, claims, words):
    await with_provider(ca)
    status, answer = await sign(ca, ca.id_token(**claims))
    assert status == 403
    assert words in answer["message"]


async def test_provisioner_may_allow_unverified_mail(ca):
    await with_provider(ca, allowUnverifiedEmail=True)
    status, answer = await sign(ca, ca.id_token(email_verified=None))
    assert (status, names_in(leaf_of(answer))) == (201, OWN)


@pytest.mark.parametrize(
    ("domains", "mail", "status"),
    [
        (["example.org"], "alice@example.org", 201),
        (["EXAMPLE.org"], "alice@Example.ORG", 201),
        (["other.example", "example.org"], "alice@example.org", 201),
        (["example.com"], "alice@example.org", 403),
        (["example.org"], "alice@sub.example.org", 403),
        (["example.org"], "alice@notexample.org", 403),
        (["example.org"], None, 403),
    ],
)
async def test_domains_hold_for_people(ca, domains, mail, status):
    await with_provider(ca, domains=domains)
    found, answer = await sign(ca, ca.id_token(email=mail))
    assert found == status, answer


@pytest.mark.parametrize(
    ("groups", "status"),
    [
        (["users"], 201),
        (["users", "x"], 201),
        ("users", 201),
        (["x"], 403),
        (None, 403),
        ([], 403),
        ([5, None], 403),
        ({"users": 1}, 403),
    ],
)
async def test_groups_hold_for_everyone(ca, groups, status):
    await with_provider(ca, groups=["users", "staff"], admins=["alice@example.org"])
    found, answer = await sign(ca, ca.id_token(groups=groups), csr(ALICE, tuple(OWN)))
    assert found == status, answer
    if status == 403:
        words = "is in none of the groups" if groups == ["x"] else "carries no groups"
        assert words in answer["message"]


@pytest.mark.parametrize(
    ("admins", "claims", "status"),
    [
        (["alice@example.org"], {}, 201),
        (["alice@EXAMPLE.ORG"], {}, 201),
        (["Alice@example.org"], {}, 403),
        (["ca-admins"], {"groups": ["ca-admins"]}, 201),
        (["ca-admins"], {"groups": ["ca-admins"], "email": None}, 201),
        (["alice@example.org"], {"email_verified": False}, 403),
        (["alice@example.org"], {"email": "alice@evil.test", "groups": []}, 403),
        (["bob@example.org"], {}, 403),
        ([], {}, 403),
    ],
)
async def test_administrator_may_ask_for_any_name(ca, admins, claims, status):
    await with_provider(ca, admins=admins, domains=["elsewhere.example", "example.org"])
    names = ("web.example.net", "192.0.2.3", "bob@example.net")
    found, answer = await sign(ca, ca.id_token(**claims), csr("web.example.net", names))
    assert found == status, answer
    if status == 201:
        assert (common_name_in(leaf_of(answer)), names_in(leaf_of(answer))) == ("web.example.net", list(names))


async def test_administrator_is_not_held_to_the_domains(ca):
    await with_provider(ca, admins=["alice@example.org"], domains=["elsewhere.example"])
    assert (await sign(ca, ca.id_token(), csr("x.example.net", ("x.example.net",))))[0] == 201


async def test_administrator_who_names_nothing_gets_their_own_names(ca):
    await with_provider(ca, admins=["alice@example.org"], domains=["elsewhere.example"])
    status, answer = await sign(ca, ca.id_token(), csr())
    assert status == 201, answer
    assert (common_name_in(leaf_of(answer)), names_in(leaf_of(answer))) == (ALICE, OWN)


async def test_administrator_without_an_address_who_names_nothing_is_told_so(ca):
    await with_provider(ca, admins=["ca-admins"])
    status, answer = await sign(ca, ca.id_token(groups=["ca-admins"], email=None), csr())
    assert status == 403
    assert "would have no name" in answer["message"]


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://evil.example.org"},
        {"iss": f"{ISSUER_URL}/"},
        {"aud": ["another"]},
        {"aud": ["another", "step-ca"], "azp": "another"},
        {"sub": ""},
        {"sub": None},
        {"exp": None},
        {"email": 5},
    ],
)
async def test_wrong_claim_of_an_id_token_is_refused(ca, claims):
    await with_provider(ca)
    await ca.add_oidc("other", client_id="another", issuer_url="https://other.example.org")
    ca.outbound.add_provider("https://other.example.org", signing_key("other"))
    status, answer = await sign(ca, ca.id_token(**claims))
    assert status == 401, answer


async def test_id_token_of_another_provider_is_refused(ca):
    await with_provider(ca)
    status, answer = await sign(ca, ca.id_token(signer="evil provider"))
    assert status == 401
    assert "which its issuer does not have" in answer["message"]


async def test_algorithm_that_is_no_text_is_refused(ca):
    await with_provider(ca)
    header, payload, signature = ca.id_token().split(".")
    odd = json.loads(base64.urlsafe_b64decode(header + "=="))
    header = base64.urlsafe_b64encode(json.dumps({**odd, "alg": ["ES256"]}).encode()).rstrip(b"=").decode()
    status, answer = await sign(ca, f"{header}.{payload}.{signature}")
    assert (status, "which is not allowed here" in answer["message"]) == (401, True)


@pytest.mark.parametrize("listed", [{}, {"id_token_signing_alg_values_supported": ["RS256", "PS256"]}])
async def test_provider_that_signs_with_what_its_metadata_do_not_list_is_told_where_to_list_it(ca, listed):
    await ca.add_oidc()
    ca.outbound.add_provider(ISSUER_URL, signing_key("provider"))
    ca.outbound.answers[ENDPOINT] = json_answer({"issuer": ISSUER_URL, "jwks_uri": f"{ISSUER_URL}/keys", **listed})
    status, answer = await sign(ca, ca.id_token())
    assert status == 401
    allowed = "PS256 and RS256" if listed else "RS256"
    assert f"signed with ES256, but the metadata of {ISSUER_URL} allow {allowed} only." in answer["message"]
    assert "list ES256 in id_token_signing_alg_values_supported" in answer["message"]


async def test_foreign_provider_is_asked_for_its_keys_once(ca):
    await ca.add_oidc()
    ca.outbound.add_provider(ISSUER_URL, signing_key("provider"))
    for _ in range(3):
        status, answer = await sign(ca, ca.id_token())
        assert status == 201, answer
    assert ca.outbound.calls == [ENDPOINT, f"{ISSUER_URL}/keys"]


@pytest.mark.parametrize(
    "discovery",
    [
        None,
        OutboundResponse(500),
        OutboundResponse(200, {}, b"rubbish"),
        json_answer({}),
        json_answer([]),
        json_answer({"issuer": "https://evil.example", "jwks_uri": "https://x/y"}),
    ],
)
async def test_provider_that_is_down_or_answers_rubbish_makes_a_clear_503(ca, discovery):
    await ca.add_oidc()
    if discovery is not None:
        ca.outbound.answers[ENDPOINT] = discovery
    response = await ca.respond("POST", "/sign", {"csr": csr(), "ott": ca.id_token()})
    assert response.status == 503
    assert ISSUER_URL.encode() in response.body
    assert "retry-after" in dict(response.headers)
    assert (await ca.call("GET", "/health"))[0] == 200


async def test_subject_with_unusual_characters_is_escaped_as_step_does(ca):
    await with_provider(ca)
    subject = "auth0|alice smith"
    ca.holder_statuses[subject] = ca.holder_statuses[ALICE]
    uri = f"{ISSUER_URL}#auth0%7Calice%20smith"
    status, answer = await sign(ca, ca.id_token(sub=subject), csr(subject, ("alice@example.org", uri)))
    assert status == 201, answer
    assert names_in(leaf_of(answer)) == ["alice@example.org", uri]


async def test_long_subject_is_left_out_of_the_common_name(ca):
    await with_provider(ca)
    subject = "s" * 65
    ca.holder_statuses[subject] = ca.holder_statuses[ALICE]
    status, answer = await sign(ca, ca.id_token(sub=subject), csr(subject, ("alice@example.org",)))
    assert status == 201, answer
    assert (common_name_in(leaf_of(answer)), len(names_in(leaf_of(answer)))) == ("", 2)


@pytest.mark.parametrize("mail", ["alice", "alice@", "a b@example.org", "alice@exam\u200bple.org", "\u202ealice@example.org"])
async def test_hostile_mail_in_a_token_is_never_signed(ca, mail):
    await with_provider(ca)
    status, _ = await sign(ca, ca.id_token(email=mail))
    assert status == 400


# --- once only -------------------------------------------------------------------------------------------------------


async def test_token_is_good_once(ca):
    await ca.add_jwk()
    await with_provider(ca)
    for token in (ca.jwk_token(WEB), ca.jwk_token(WEB, jti=None), ca.id_token(), ca.id_token(nonce=None)):
        assert (await sign(ca, token))[0] == 201
        status, answer = await sign(ca, token)
        assert (status, "used before" in answer["message"]) == (401, True)


async def test_token_whose_signature_was_rewritten_is_the_same_token(ca):
    await ca.add_jwk()
    token = ca.jwk_token(WEB, jti=None)
    assert (await sign(ca, token))[0] == 201
    signed, _, signature = token.rpartition(".")
    raw = base64.urlsafe_b64decode(signature + "==")
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    twin = raw[:32] + (order - int.from_bytes(raw[32:])).to_bytes(32)
    status, answer = await sign(ca, f"{signed}.{base64.urlsafe_b64encode(twin).rstrip(b'=').decode()}")
    assert status == 401
    assert "used before" in answer["message"]


async def test_same_id_from_another_provisioner_is_another_token(ca):
    await ca.add_jwk()
    await ca.add_jwk("second")
    assert (await sign(ca, ca.jwk_token(WEB, jti="1")))[0] == 201
    assert (await sign(ca, ca.jwk_token(WEB, jti="1", signer="jwk second", issuer="second")))[0] == 201


async def test_refused_request_leaves_its_token_unused(ca):
    await ca.add_jwk()
    token = ca.jwk_token(WEB)
    assert (await sign(ca, token, csr("other.example.org")))[0] == 403
    assert (await sign(ca, token))[0] == 201


async def test_note_about_a_used_token_is_kept_as_long_as_the_token_would_be_accepted(ca):
    await ca.add_jwk()
    token = ca.jwk_token(WEB, exp=to_seconds(ca.clock.now()) + 100)
    assert (await sign(ca, token))[0] == 201
    ca.clock.advance(timedelta(seconds=159))
    assert await ca.recovery.purge_tokens() == 0
    assert (await sign(ca, token))[0] == 401
    ca.clock.advance(LONGEST_TOKEN_LIFE)
    assert await ca.recovery.purge_tokens() == 1
    status, answer = await sign(ca, token)
    assert (status, "expired" in answer["message"]) == (401, True)


@pytest.mark.parametrize("later", [60, 3_540])
async def test_same_id_with_another_expiry_is_the_same_token(ca, later):
    await ca.add_jwk()
    now = to_seconds(ca.clock.now())
    assert (await sign(ca, ca.jwk_token(WEB, jti="1", exp=now + 30)))[0] == 201
    other = ca.jwk_token(WEB, jti="1", exp=now + 3_600)
    ca.clock.advance(timedelta(seconds=later))
    await ca.recovery.purge_tokens()
    status, answer = await sign(ca, other)
    assert (status, "has been used before" in answer["message"]) == (401, True)


@pytest.mark.parametrize(
    ("claims", "status"),
    [
        ({"iat": 0, "exp": 3_600}, 201),
        ({"iat": 0, "exp": 3_601}, 401),
        ({"iat": 0, "exp": 20 * 365 * 86_400}, 401),
        ({"iat": -20 * 365 * 86_400, "exp": 60}, 401),
        ({"iat": None, "nbf": -3_600, "exp": 1}, 401),
        ({"iat": None, "nbf": None, "exp": 3_600}, 201),
        ({"iat": None, "nbf": None, "exp": 3_700}, 401),
    ],
)
async def test_token_of_a_key_is_good_for_an_hour_at_most(ca, claims, status):
    await ca.add_jwk()
    now = to_seconds(ca.clock.now())
    moved = {name: None if value is None else now + value for name, value in claims.items()}
    found, answer = await sign(ca, ca.jwk_token(WEB, **moved))
    assert found == status, answer
    assert status == 201 or "longer than an hour" in answer["message"]


async def test_access_token_is_refused_by_its_type(ca):
    ca.add_local_provider()
    await ca.add_oidc()
    claims = decoded(ca.id_token())
    for signer, body in (("provider", claims), ("jwk admin", decoded(ca.jwk_token(WEB)))):
        if signer != "provider":
            await ca.add_jwk()
        status, answer = await sign(ca, jose.sign(signing_key(signer), body, type="at+jwt"))
        assert status == 401
        assert "The token is an access token: its typ is 'at+jwt', where JWT is needed." in answer["message"]
    assert (await sign(ca, jose.sign(signing_key("provider"), claims)))[0] == 201


def decoded(token):
    return dict(UnverifiedToken(token).claims())


def test_notes_of_used_tokens_differ_by_issuer_and_id_only():
    note = partial(one_use, now=Instant(0))
    one = note("a", "1", expires_at=Instant(100)).digest
    assert one == note("a", "1", expires_at=Instant(200)).digest
    assert one != note("b", "1", expires_at=Instant(100)).digest
    assert one != note("a", "2", expires_at=Instant(100)).digest
    assert replay_id(UnverifiedToken("e30.b.c")) == "e30.b"
