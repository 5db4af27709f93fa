from datetime import timedelta

import pytest

from sealwright.client_metadata import ClientKind, ClientRefused, is_client_name, require_client_name
from sealwright.clock import Instant, after
from sealwright.oauth import policy
from sealwright.oauth.errors import AuthorizationRefused
from sealwright.oauth.models import AuthorizationRequest, Prompt, ScopeMap
from sealwright.oauth.policy import AuthorizationStep, SessionFacts, decide_scopes
from tests.oauth_world import CHALLENGE, VERIFIER
from tests.unit.oauth.test_redirects import client

NOW = Instant(1_790_000_000_000)
MAPS = (
    ScopeMap("g1", "users", ("openid", "email")),
    ScopeMap("g2", "admins", ("openid", "root")),
)


def test_scopes_are_the_union_over_all_groups():
    decision = decide_scopes(("root", "email", "openid"), MAPS, {"g1", "g2", "g3"})
    assert decision.allowed
    assert decision.granted == ("root", "email", "openid")


def test_missing_scope_refuses_and_names_who_would_have_it():
    decision = decide_scopes(("openid", "root", "other"), MAPS, {"g1"})
    assert not decision.allowed
    assert decision.granted == ("openid",)
    assert decision.reasons == (
        "the scope root is for members of admins",
        "no group of this application has the scope other",
    )


def test_without_groups_nothing_is_granted():
    assert decide_scopes(("openid",), MAPS, set()).refused == ("openid",)
    assert decide_scopes(("openid",), (), {"g1"}).refused == ("openid",)


def test_offline_access_needs_no_group_and_gives_nothing_alone():
    decision = decide_scopes(("openid", "offline_access"), MAPS, {"g1"})
    assert (decision.allowed, decision.granted) == (True, ("openid", "offline_access"))
    decision = decide_scopes(("openid", "offline_access"), MAPS, set())
    assert (decision.granted, decision.refused) == ((), ("openid", "offline_access"))
    assert decision.reasons == ("the scope openid is for members of admins, users",)
    assert policy.still_granted(("openid", "offline_access"), {"openid"}) == ("openid", "offline_access")
    assert policy.still_granted(("openid", "offline_access"), {"email"}) == ()


def test_client_may_take_what_a_person_may_grant():
    decision = decide_scopes(("openid", "address", "root"), MAPS, {"g1"}, partial=True)
    assert (decision.allowed, decision.granted, decision.reasons) == (True, ("openid",), ())
    assert not decide_scopes(("openid", "address"), MAPS, {"g1"}).allowed
    assert not decide_scopes(("root", "offline_access"), MAPS, {"g1"}, partial=True).allowed, "nothing is left"
    only_mail = (ScopeMap("g1", "users", ("email",)),)
    assert not decide_scopes(("openid", "email"), only_mail, {"g1"}, partial=True).allowed, "no ID token would come"


@pytest.mark.parametrize(
    ("text", "scopes"),
    [
        ("openid email", ("openid", "email")),
        ("email openid email", ("email", "openid")),
        ("  openid  ", ("openid",)),
        ("", ()),
        ("https://x.example/read a:b-c.d", ("https://x.example/read", "a:b-c.d")),
        ('a"b', None),
        ("a\\b", None),
        ("a\tb", None),
        ("ä", None),
        ("x" * 129, None),
    ],
)
def test_scope_parameter_is_read_as_the_standard_says(text, scopes):
    assert policy.scopes_of(text) == scopes


def test_proof_key_of_the_standard_is_proven():
    # RFC 7636, appendix B
    verifier, challenge = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    assert policy.proves_key(challenge, verifier)
    assert policy.proves_key(CHALLENGE, VERIFIER)


@pytest.mark.parametrize(
    ("challenge", "verifier"),
    [
        (CHALLENGE, None),
        (None, VERIFIER),
        (CHALLENGE, VERIFIER[:-1]),
        (CHALLENGE, VERIFIER + "x"),
        (CHALLENGE, CHALLENGE),
        (CHALLENGE, "x" * 42),
        (CHALLENGE, "x" * 129),
        (CHALLENGE, "é" * 43),
        (CHALLENGE, ""),
    ],
)
def test_wrong_or_one_sided_proof_key_proves_nothing(challenge, verifier):
    assert not policy.proves_key(challenge, verifier)


def test_neither_challenge_nor_verifier_is_consistent():
    assert policy.proves_key(None, None)


@pytest.mark.parametrize("name", ["a", "step-ca", "0ok", "nextcloud.example_2", "x" * 64])
def test_client_names(name):
    require_client_name(name)
    assert is_client_name(name)


@pytest.mark.parametrize("name", ["", "Step", "-a", ".", "..", "a/b", "a b", "a\n", "ä", "a\0", "x" * 65, "a%2fb"])
def test_names_that_would_not_fit_into_an_issuer_url(name):
    with pytest.raises(ClientRefused):
        require_client_name(name)


@pytest.mark.parametrize("scopes", [[], [""], ["a b"], ["ä"], ['"'], [f"s{n}" for n in range(101)]])
def test_scope_map_needs_scopes(scopes):
    with pytest.raises(ClientRefused):
        policy.require_scope_words(scopes)


# --- the next step ----------------------------------------------------------------------------------------------------


def request(*prompts, max_age=None, hinted=None, chosen=""):
    given = {"prompts": frozenset(prompts), "max_age": max_age, "hinted_subject": hinted, "chosen_account": chosen}
    return AuthorizationRequest("1", "https://x", ("openid",), **given)


NATIVE = AuthorizationRequest("1", "http://127.0.0.1:31337/steal", ("openid",))
OWN_SCHEME = AuthorizationRequest("1", "com.example.app:/cb", ("openid",))
SILENT_NATIVE = AuthorizationRequest("1", "http://127.0.0.1:31337/steal", ("openid",), prompts=frozenset({Prompt.NONE}))


def facts(*, age=timedelta(hours=1), allowed=True, consented=True, account="alice"):
    decision = decide_scopes(("openid",), MAPS, {"g1"} if allowed else set())
    return SessionFacts(account, after(NOW, -age), decision, frozenset({"openid"}) if consented else frozenset())


def step(asked, who, *, kind=ClientKind.PUBLIC, waited=timedelta(minutes=1)):
    return policy.next_step(client(kind), asked, after(NOW, -waited), who, NOW)


FRESH = timedelta(seconds=30)

STEPS = [
    (request(), None, AuthorizationStep.SIGN_IN),
    (request(), facts(), AuthorizationStep.REDIRECT),
    (request(), facts(consented=False), AuthorizationStep.CONSENT),
    (request(Prompt.CONSENT), facts(), AuthorizationStep.CONSENT),
    (request(Prompt.LOGIN), facts(), AuthorizationStep.SIGN_IN_AGAIN),
    (request(Prompt.LOGIN), facts(age=FRESH), AuthorizationStep.REDIRECT),
    (request(Prompt.SELECT_ACCOUNT), None, AuthorizationStep.SIGN_IN),
    (request(Prompt.SELECT_ACCOUNT), facts(), AuthorizationStep.CHOOSE_ACCOUNT),
    (request(Prompt.SELECT_ACCOUNT), facts(allowed=False), AuthorizationStep.CHOOSE_ACCOUNT),
    (request(Prompt.SELECT_ACCOUNT), facts(age=FRESH), AuthorizationStep.REDIRECT),
    (request(Prompt.SELECT_ACCOUNT, chosen="alice"), facts(), AuthorizationStep.REDIRECT),
    (request(Prompt.SELECT_ACCOUNT, chosen="alice"), facts(account="bob"), AuthorizationStep.CHOOSE_ACCOUNT),
    (request(Prompt.SELECT_ACCOUNT, Prompt.CONSENT, chosen="alice"), facts(), AuthorizationStep.CONSENT),
    (request(Prompt.SELECT_ACCOUNT, Prompt.LOGIN), facts(), AuthorizationStep.SIGN_IN_AGAIN),
    (request(Prompt.SELECT_ACCOUNT, max_age=60), facts(), AuthorizationStep.SIGN_IN_AGAIN),
    (request(Prompt.LOGIN, Prompt.CONSENT), facts(age=FRESH), AuthorizationStep.CONSENT),
    (request(max_age=3600), facts(), AuthorizationStep.REDIRECT),
    (request(max_age=3599), facts(), AuthorizationStep.SIGN_IN_AGAIN),
    (request(max_age=0), facts(age=FRESH), AuthorizationStep.REDIRECT),
    (request(hinted="alice"), facts(), AuthorizationStep.REDIRECT),
    (request(hinted="bob"), facts(), AuthorizationStep.SIGN_IN_AGAIN),
    (request(Prompt.NONE), facts(), AuthorizationStep.REDIRECT),
    (request(), facts(allowed=False), AuthorizationStep.NOT_ALLOWED),
    (request(Prompt.CONSENT), facts(allowed=False), AuthorizationStep.NOT_ALLOWED),
    (NATIVE, facts(), AuthorizationStep.CONSENT),
    (NATIVE, facts(age=FRESH), AuthorizationStep.CONSENT),
    (OWN_SCHEME, facts(), AuthorizationStep.CONSENT),
]


@pytest.mark.parametrize(("asked", "who", "expected"), STEPS)
def test_next_step(asked, who, expected):
    assert step(asked, who) is expected


REFUSALS = [
    (request(Prompt.NONE), None, "login_required"),
    (request(Prompt.NONE, max_age=1), facts(), "login_required"),
    (request(Prompt.NONE, hinted="bob"), facts(), "login_required"),
    (request(hinted="bob"), facts(age=FRESH), "login_required"),
    (request(Prompt.NONE), facts(consented=False), "consent_required"),
    (request(Prompt.NONE), facts(allowed=False), "access_denied"),
    (SILENT_NATIVE, facts(), "consent_required"),
]


def test_client_that_proves_itself_is_allowed_once_wherever_its_answer_goes():
    assert step(NATIVE, facts(), kind=ClientKind.CONFIDENTIAL) is AuthorizationStep.REDIRECT
    assert step(SILENT_NATIVE, facts(), kind=ClientKind.CONFIDENTIAL) is AuthorizationStep.REDIRECT


@pytest.mark.parametrize(("asked", "who", "error"), REFUSALS)
def test_next_step_is_an_error_for_the_client(asked, who, error):
    with pytest.raises(AuthorizationRefused) as refusal:
        step(asked, who)
    assert refusal.value.error == error
