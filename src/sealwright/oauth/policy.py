"""Pure decisions: client names, scopes, proof keys, and what comes next for a pending request."""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta
from enum import Enum, auto

from msgspec import Struct

from sealwright.client_metadata import ClientRefused
from sealwright.clock import Instant, between
from sealwright.oauth.authentication_context import ACR_VALUES, contexts_of
from sealwright.oauth.errors import AuthorizationRefused
from sealwright.oauth.models import CHANGE_SCOPE, OFFLINE_ACCESS, READ_SCOPE, AuthorizationRequest, Client, Prompt, ScopeMap
from sealwright.oauth.redirects import is_claimed

MAX_SCOPES = 100
LONGEST_AUDIENCE = 2_000
SHORTEST_TOKEN = timedelta(seconds=1)
"""What is made for less time is over when it arrives."""
PROTOCOL_SCOPES = frozenset({OFFLINE_ACCESS})
"""Scopes that tell nothing about a person, so that no group has to be given them (OpenID Connect Core, section 11)."""
_ALWAYS_ASKED = PROTOCOL_SCOPES | {READ_SCOPE, CHANGE_SCOPE}
"""Asked about even where the consent prompt is off, so that no administrator of clients gets to act for their people."""
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,128}")
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")


def scopes_of(text: str) -> tuple[str, ...] | None:
    """The words of a `scope` parameter, each once; None where one of them has a character that no scope has."""
    words = tuple(dict.fromkeys(text.split(" ")))
    words = tuple(word for word in words if word)
    if len(words) > MAX_SCOPES or not all(_SCOPE.fullmatch(word) for word in words):
        return None
    return words


def require_scope_words(scopes: Iterable[str]) -> tuple[str, ...]:
    """The scopes for a map, each once; raise ClientRefused where there is none or one is malformed."""
    words = tuple(dict.fromkeys(scopes))
    wrong = [word for word in words if not _SCOPE.fullmatch(word)]
    if wrong:
        raise ClientRefused(f"{wrong[0][:80]!r} is not a scope.", hint="A scope is one word of printable ASCII without quotes.")
    if not words or len(words) > MAX_SCOPES:
        raise ClientRefused(
            f"A scope map needs 1 to {MAX_SCOPES} scopes, not {len(words)}.",
            hint="To take all scopes away, delete the map.",
        )
    return words


class ScopeNeed(Struct, frozen=True):
    """A scope that a person may not grant, and the groups whose members may."""

    scope: str
    groups: tuple[str, ...]


class ScopeDecision(Struct, frozen=True):
    """Which of the requested scopes a person may grant to a client."""

    granted: tuple[str, ...]
    refused: tuple[str, ...]
    needs: tuple[ScopeNeed, ...] = ()
    """For each refused scope, who may grant it."""

    @property
    def allowed(self) -> bool:
        """True where nothing stands in the way: a request is allowed whole or not at all, unless the client takes less."""
        return not self.refused

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why each scope was refused."""
        return tuple(_why_refused(need) for need in self.needs)


def available_scopes(scopes_by_group: Mapping[str, Collection[str]], group_ids: Collection[str]) -> frozenset[str]:
    """The scopes that members of these groups may grant."""
    return frozenset(scope for group_id, scopes in scopes_by_group.items() if group_id in group_ids for scope in scopes)


def still_granted(scopes: Iterable[str], reached: Collection[str]) -> tuple[str, ...]:
    """Those of granted scopes that are still reached; none where only scopes of the protocol would be left."""
    left = tuple(scope for scope in scopes if scope in reached or scope in PROTOCOL_SCOPES)
    return left if any(scope in reached for scope in left) else ()


def decide_scopes(
    requested: Collection[str], maps: Collection[ScopeMap], group_ids: Collection[str], *, partial: bool = False
) -> ScopeDecision:
    """A scope is granted where a map of one of the person's groups, direct or nested, holds it.

    With `partial`, scopes that are not granted are left out, as long as one is left. `openid` never is: anyone who asks for it
    waits for an ID token.
    """
    reached = available_scopes({one.group_id: one.scopes for one in maps}, group_ids)
    granted = still_granted(requested, reached)
    refused = tuple(scope for scope in requested if scope not in granted)
    if partial and granted and "openid" not in refused:
        refused = ()
    needs = (ScopeNeed(scope, tuple(sorted(one.group_name for one in maps if scope in one.scopes))) for scope in refused)
    return ScopeDecision(granted, refused, tuple(need for need in needs if need.scope not in PROTOCOL_SCOPES))


def with_supplementary(decision: ScopeDecision, supplementary: Collection[str]) -> ScopeDecision:
    """The decision with the scopes that the person's groups add to whatever is granted; where nothing is, they add nothing."""
    if not decision.allowed:
        return decision
    added = sorted(set(supplementary) - set(decision.granted))
    return ScopeDecision((*decision.granted, *added), (), ())


def _why_refused(need: ScopeNeed) -> str:
    if need.groups:
        return f"the scope {need.scope} is for members of {', '.join(need.groups)}"
    return f"no group of this application has the scope {need.scope}"


def refused_resource(client: Client, resources: Collection[str]) -> str:
    """Why a client may not ask tokens for one of these servers (RFC 8707); empty where it may for all."""
    wrong = next((each for each in resources if each not in client.resources), None)
    if wrong is None:
        return ""
    command = f"sealwright system oauth2 add-resource {client.name} URL"
    return f"{client.name} may not ask for access tokens for the resource {wrong[:200]}; to let it: {command}"


def is_challenge(text: str) -> bool:
    """True where `text` can be an S256 code challenge (RFC 7636, section 4.2)."""
    return _CHALLENGE.fullmatch(text) is not None


def is_verifier(text: str) -> bool:
    """True where `text` can be a code verifier (RFC 7636, section 4.1)."""
    return _VERIFIER.fullmatch(text) is not None


def proves_key(challenge: str | None, verifier: str | None) -> bool:
    """True where the verifier fits the challenge. One without the other never does (RFC 9700, section 2.1.1)."""
    if challenge is None or verifier is None:
        return challenge is None and verifier is None
    if not is_verifier(verifier):
        return False
    made = urlsafe_b64encode(hashlib.sha256(verifier.encode("ascii")).digest()).rstrip(b"=")
    return hmac.compare_digest(made, challenge.encode("ascii"))


class AuthorizationStep(Enum):
    """What a pending request waits for."""

    SIGN_IN = auto()
    SIGN_IN_AGAIN = auto()
    CHOOSE_ACCOUNT = auto()
    NOT_ALLOWED = auto()
    CONSENT = auto()
    REDIRECT = auto()


class SessionFacts(Struct, frozen=True):
    """Who is signed in, and what they may grant, when the next step of a request is picked."""

    account_id: str
    authenticated_at: Instant
    decision: ScopeDecision
    consented: frozenset[str]
    """Scopes that the person allowed this client before."""
    methods: tuple[str, ...] = ()
    """How they proved who they are."""
    claims: frozenset[str] = frozenset()
    """Claims that are asked for one by one, which they may grant, and which the granted scopes do not tell."""
    consented_claims: frozenset[str] = frozenset()
    """Claims that they allowed before, by themselves or within scopes."""


def next_step(
    client: Client, request: AuthorizationRequest, created_at: Instant, facts: SessionFacts | None, now: Instant
) -> AuthorizationStep:
    """The one place that picks what comes next; raises AuthorizationRefused where the client gets an error instead."""
    silent = Prompt.NONE in request.prompts
    if request.claims.acr_is_essential and set(request.claims.acr_values).isdisjoint(ACR_VALUES):
        raise _proof_missing(request)
    if facts is None:
        if silent:
            raise AuthorizationRefused("login_required", "No one is signed in.")
        return AuthorizationStep.SIGN_IN
    if _sign_in_is_too_old(request, created_at, facts, now):
        if silent:
            raise AuthorizationRefused("login_required", "The sign-in is too old.")
        return AuthorizationStep.SIGN_IN_AGAIN
    lacking = _lacking_proof(request, facts, is_new=facts.authenticated_at >= created_at)
    if lacking is not None:
        if silent or facts.authenticated_at >= created_at:
            raise lacking
        return AuthorizationStep.SIGN_IN_AGAIN
    if _account_is_to_be_chosen(request, created_at, facts):
        return AuthorizationStep.CHOOSE_ACCOUNT
    return _decided(client, request, facts, silent=silent)


def _account_is_to_be_chosen(request: AuthorizationRequest, created_at: Instant, facts: SessionFacts) -> bool:
    """Not where the person signed in for this very request, nor where they chose on the page that asks."""
    if Prompt.SELECT_ACCOUNT not in request.prompts or facts.authenticated_at >= created_at:
        return False
    return request.chosen_account != facts.account_id


def _lacking_proof(request: AuthorizationRequest, facts: SessionFacts, *, is_new: bool) -> AuthorizationRefused | None:
    """Why this person, or the way in which they signed in, will not do; None where it will. `is_new`: it was for this request."""
    if request.hinted_subject not in (None, facts.account_id):
        return AuthorizationRefused("login_required", "Someone else is signed in than the application asks for.")
    if not request.claims.acr_is_essential or not set(request.claims.acr_values).isdisjoint(contexts_of(facts.methods)):
        return None
    if is_new:
        return _proof_missing(request)
    return AuthorizationRefused("login_required", "The sign-in was not by one of the acr values that are asked for.")


def _proof_missing(request: AuthorizationRequest) -> AuthorizationRefused:
    wanted = " or ".join(value[:40] for value in request.claims.acr_values[:4])
    return AuthorizationRefused(
        "unmet_authentication_requirements",
        f"The person did not sign in by {wanted}. There are {', '.join(ACR_VALUES)} here.",
    )


def _decided(client: Client, request: AuthorizationRequest, facts: SessionFacts, *, silent: bool) -> AuthorizationStep:
    if not facts.decision.allowed:
        if silent:
            raise not_allowed(facts.decision)
        return AuthorizationStep.NOT_ALLOWED
    if _consent_is_needed(client, request, facts):
        if silent:
            raise AuthorizationRefused("consent_required", "The person must be asked, and prompt=none forbids it.")
        return AuthorizationStep.CONSENT
    return AuthorizationStep.REDIRECT


def not_allowed(decision: ScopeDecision) -> AuthorizationRefused:
    """The error for a client where the person may not grant what it asks for."""
    return AuthorizationRefused(
        "access_denied", f"This account may not have {_scopes_text(decision.refused)} here.", reasons=decision.reasons
    )


def _scopes_text(scopes: tuple[str, ...]) -> str:
    *before, last = scopes
    return f"the scopes {', '.join(before)} and {last}" if before else f"the scope {last}"


def _sign_in_is_too_old(request: AuthorizationRequest, created_at: Instant, facts: SessionFacts, now: Instant) -> bool:
    if facts.authenticated_at >= created_at:
        return False
    if Prompt.LOGIN in request.prompts:
        return True
    return request.max_age is not None and between(facts.authenticated_at, now) > timedelta(seconds=request.max_age)


def _consent_is_needed(client: Client, request: AuthorizationRequest, facts: SessionFacts) -> bool:
    if Prompt.CONSENT in request.prompts or is_about_one_occasion(request):
        return True
    # Anyone who goes on after a sign-out is asked about in any case, and so can be taken back (OpenID Connect Core, section 11).
    if not client.consent_prompt and _ALWAYS_ASKED.isdisjoint(facts.decision.granted):
        return False
    if asks_each_time(client, request) or not facts.consented_claims.issuperset(facts.claims):
        return True
    return not facts.consented.issuperset(facts.decision.granted)


def asks_each_time(client: Client, request: AuthorizationRequest) -> bool:
    """True where any program could pose as the client, so that a consent from before may be another's (RFC 8252, section 8.6).

    A secret proves a client, and a host name that only its owner answers at. A loopback port is free for every user of the
    computer, and a scheme for every application on it.
    """
    return is_about_one_occasion(request) or (client.is_public and not is_claimed(request.redirect_uri))


def is_about_one_occasion(request: AuthorizationRequest) -> bool:
    """True where no consent from before can count: details are of one act, and a device is not where the person is."""
    return bool(request.authorization_details) or request.device is not None
