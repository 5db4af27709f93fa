"""From an authorization request to a code: its proof, the person's decision, the response.

Until client and redirect URI are proven, errors are raised for the person to see; from then on they are sent to the client.
A request that waits for the person is held by its own handle (see `pending`), waits ten minutes, and is decided once.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from sealwright.audit import Event
from sealwright.clock import after
from sealwright.db import Transaction
from sealwright.entropy import token, uuid4
from sealwright.errors import as_sentence
from sealwright.identity import SignedIn
from sealwright.ip import network_of
from sealwright.keys import Custody
from sealwright.oauth import policy, store
from sealwright.oauth.authorization_requests import AuthorizationRequests
from sealwright.oauth.authorization_response import AuthorizationResponses, Response
from sealwright.oauth.claims import claims_of, identity_claims
from sealwright.oauth.dependencies import OAuthDependencies
from sealwright.oauth.device.requests import DEVICE_DONE_PAGE, DeviceRequests
from sealwright.oauth.digests import digest_of
from sealwright.oauth.error_text import error_text
from sealwright.oauth.errors import AuthorizationRefused, UserCodeUnknown
from sealwright.oauth.lookups import PeopleLookup
from sealwright.oauth.maps import store as maps_store
from sealwright.oauth.models import (
    AcceptedRequest,
    ChooseAccountStep,
    Client,
    ConsentStep,
    DisclosedClaims,
    NextStep,
    NotAllowedStep,
    PendingRequest,
    RedirectStep,
    SignInStep,
    TokenFamily,
)
from sealwright.oauth.parameters import Parameters, response_mode_of, state_of
from sealwright.oauth.pending import PendingRequests, request_gone
from sealwright.oauth.policy import AuthorizationStep, ScopeNeed, SessionFacts
from sealwright.oauth.subjects import SubjectLookup
from sealwright.traces import span

_LONGEST_FAPI_CODE = timedelta(seconds=60)


class AuthorizationEndpoint:
    """Authorization requests of every client."""

    def __init__(
        self,
        dependencies: OAuthDependencies,
        *,
        directory: PeopleLookup,
        subjects: SubjectLookup,
        custody: Custody,
        incoming: AuthorizationRequests,
        requests: PendingRequests,
        devices: DeviceRequests,
    ) -> None:
        self._devices = devices
        self._user_codes = dependencies.budgets.user_codes_by_network
        self._db = dependencies.db
        self._clock = dependencies.clock
        self._entropy = dependencies.entropy
        self._audit = dependencies.audit
        self._origin = dependencies.origin
        self._lifetimes = dependencies.lifetimes
        self._directory = directory
        self._subjects = subjects
        self._incoming = incoming
        self._requests = requests
        self._responses = AuthorizationResponses(dependencies, custody)
        self._by_account = dependencies.budgets.authorizations_by_account

    async def begin(self, query_text: str, address: str) -> AcceptedRequest | Response:
        """Check a request and give it a handle. Raises UnprovenRequest; later errors are a response to the client."""
        checked = await self._check(query_text, address)
        return checked if not isinstance(checked, PendingRequest) else AcceptedRequest(self._requests.handle_of(checked))

    async def first_step(self, query_text: str, signed_in: SignedIn | None, address: str) -> NextStep:
        """Check a request and take the first step at once: it gets a handle only where it has to wait for the person."""
        checked = await self._check(query_text, address)
        return checked if not isinstance(checked, PendingRequest) else await self._advance("", checked, signed_in, allowed=False)

    async def _check(self, query_text: str, address: str) -> PendingRequest | Response:
        proven = await self._incoming.prove(Parameters.read(query_text), address)
        state = state_of(proven.parameters)
        try:
            return self._requests.begin(proven.client, await self._incoming.read(proven))
        except AuthorizationRefused as refusal:
            mode, parameters = (
                response_mode_of(proven.parameters),
                {"error": refusal.error, "error_description": error_text(refusal.detail)},
            )
            return await self._responses.make(proven.client, proven.redirect_uri, mode, state, **parameters)

    async def handle_of_device(self, typed: str, address: str) -> str:
        """A handle of the request of a device, by the code that a person read there; raises UserCodeUnknown."""
        self._user_codes.require(network_of(address))
        pending = await self._devices.find(typed)
        if pending is None:
            self._user_codes.spend(network_of(address))
            raise UserCodeUnknown("No device waits with this code. Compare it with the one that the device shows now.")
        return self._requests.handle_of(pending)

    async def pending(self, handle: str) -> PendingRequest:
        """The request behind a handle, for the pages that show it; raises RequestGone."""
        return await self._requests.find(handle)

    async def disclosed_claims(self, pending: PendingRequest, signed_in: SignedIn) -> DisclosedClaims:
        """What the application gets to know once it is allowed: the very claims about the person that its ID token will hold."""
        account, scopes = signed_in.account, (await self._facts_about(signed_in, pending)).decision.granted
        asked = {**pending.request.claims.userinfo, **pending.request.claims.id_token}
        subject = await self._subjects.subject_of(account, pending.client, scopes, asked=asked)
        claims = identity_claims(subject, pending.client, scopes)
        return DisclosedClaims(
            claims,
            scopes,
            asks_each_time=policy.asks_each_time(pending.client, pending.request),
            resources=pending.request.resources,
            authorization_details=pending.request.authorization_details,
        )

    async def needs(self, pending: PendingRequest, signed_in: SignedIn) -> tuple[ScopeNeed, ...]:
        """What the person lacks for the request, scope by scope; empty where they lack nothing."""
        return (await self._facts_about(signed_in, pending)).decision.needs

    async def next_step(self, handle: str, signed_in: SignedIn | None) -> NextStep:
        """What the request waits for; the response where it could be decided at once. Raises RequestGone."""
        pending = await self.pending(handle)
        return await self._advance(handle, pending, signed_in, allowed=False)

    async def allow(self, handle: str, signed_in: SignedIn | None) -> NextStep:
        """The person allows what the consent page shows, and this is remembered. Raises RequestGone."""
        pending = await self.pending(handle)
        return await self._advance(handle, pending, signed_in, allowed=True)

    async def choose(self, handle: str, signed_in: SignedIn) -> NextStep:
        """The person goes on with the account that is signed in, for this request alone; it gets a new handle for that.

        Raises RequestGone, also where the request was answered or an account chosen for it meanwhile.
        """
        pending = await self.pending(handle)
        self._by_account.take(signed_in.account.id)

        async def body(tx: Transaction) -> bool:
            return await self._requests.replace(tx, handle, pending)

        if not await self._db.write(body):
            raise request_gone()
        chosen = replace(pending, request=replace(pending.request, chosen_account=signed_in.account.id))
        return await self._advance(self._requests.handle_of(chosen), chosen, signed_in, allowed=False)

    async def deny(self, handle: str, signed_in: SignedIn | None) -> Response:
        """The person refuses, or gives up before signing in. Raises RequestGone."""
        pending = await self.pending(handle)
        refusal = AuthorizationRefused("access_denied", "The person did not allow it.")
        return await self._refuse(handle, pending, signed_in, refusal, Event.CONSENT_DENIED)

    async def go_back(self, handle: str, signed_in: SignedIn) -> NextStep:
        """The person has read that they may not use the application, which gets access_denied. Raises RequestGone."""
        pending = await self.pending(handle)
        decision = (await self._facts_about(signed_in, pending)).decision
        if decision.allowed:  # they were let in meanwhile
            return await self._advance(handle, pending, signed_in, allowed=False)
        await self._use_up(handle, pending, signed_in)
        return await self._refusal(pending, policy.not_allowed(decision))

    # --- decisions ---

    # `handle` is empty where the request has none yet: no one else can answer it then.

    async def _advance(self, handle: str, pending: PendingRequest, signed_in: SignedIn | None, *, allowed: bool) -> NextStep:
        facts = None if signed_in is None else await self._facts_about(signed_in, pending)
        try:
            step = policy.next_step(pending.client, pending.request, pending.created_at, facts, self._clock.now())
        except AuthorizationRefused as refusal:
            return await self._refuse(handle, pending, signed_in, refusal, Event.AUTHORIZATION_REQUESTED)
        if signed_in is None or step in (AuthorizationStep.SIGN_IN, AuthorizationStep.SIGN_IN_AGAIN):
            return SignInStep(
                handle or self._requests.handle_of(pending),
                pending.request.login_hint,
                again=step is AuthorizationStep.SIGN_IN_AGAIN,
            )
        if step is AuthorizationStep.CHOOSE_ACCOUNT:
            return ChooseAccountStep(handle or self._requests.handle_of(pending))
        if facts is not None and step is AuthorizationStep.NOT_ALLOWED:
            await self._record(pending, signed_in, policy.not_allowed(facts.decision), Event.AUTHORIZATION_REQUESTED)
            return NotAllowedStep(handle or self._requests.handle_of(pending))
        if facts is None or (step is AuthorizationStep.CONSENT and not allowed):
            return ConsentStep(handle or self._requests.handle_of(pending))
        return await self._answer_with_code(handle, pending, signed_in, facts, consented=step is AuthorizationStep.CONSENT)

    async def _facts_about(self, signed_in: SignedIn, pending: PendingRequest) -> SessionFacts:
        account = signed_in.account
        groups = await self._directory.groups_of(account.id)
        maps = await store.scope_maps(self._db, pending.client.id)
        group_ids = {group.id for group in groups}
        with span("policy decision") as part:
            decision = policy.decide_scopes(pending.request.scopes, maps, group_ids, partial=pending.client.partial_scopes)
            part.set_attribute("sealwright.allowed", decision.allowed)
        supplementary = {
            one.group_id: one.scopes for one in await maps_store.supplementary_scope_maps(self._db, pending.client.id)
        }
        decision = policy.with_supplementary(decision, policy.available_scopes(supplementary, group_ids))
        requested = pending.request.claims
        asked = await self._subjects.grantable(pending.client, groups, {**requested.userinfo, **requested.id_token})
        consented = await store.consented(self._db, account.id, pending.client.id)
        return SessionFacts(
            account_id=account.id,
            authenticated_at=signed_in.session.authenticated_at,
            decision=decision,
            consented=consented.scopes,
            methods=signed_in.session.methods,
            claims=frozenset(each.name for each in asked) - claims_of(decision.granted),
            consented_claims=consented.claims | claims_of(consented.scopes),
        )

    async def _answer_with_code(
        self, handle: str, pending: PendingRequest, signed_in: SignedIn, facts: SessionFacts, *, consented: bool
    ) -> Response:
        self._by_account.take(signed_in.account.id)
        request, now, scopes = pending.request, self._clock.now(), facts.decision.granted
        code = token(self._entropy)
        family = TokenFamily(
            id=uuid4(self._entropy),
            client_id=pending.client.id,
            account_id=signed_in.account.id,
            session_id=signed_in.session.id,
            scope=scopes,
            nonce=request.nonce,
            authenticated_at=signed_in.session.authenticated_at,
            created_at=now,
            revoked_at=None,
            methods=signed_in.session.methods,
            claims=request.claims.only(facts.claims | claims_of(scopes)),
            resources=request.resources,
            authorization_details=request.authorization_details,
        )
        target = f"client:{pending.client.id}"
        details: dict[str, Any] = {"client": pending.client.name, "scope": " ".join(scopes), "family": family.id}
        if request.device is not None:
            details["device"] = True
        if request.resources:
            details["resources"] = list(request.resources)
        if request.authorization_details:
            details["authorization_details"] = list(request.authorization_details)

        async def body(tx: Transaction) -> bool:
            if not await self._requests.answer(tx, handle, pending):
                return False
            if consented:
                given = store.Consented(frozenset(scopes), facts.claims)
                await store.put_consent(tx, signed_in.account.id, family.client_id, given, now)
                await self._audit.record(tx, Event.CONSENT_GIVEN, actor=signed_in.actor, target=target, details=details)
            await store.insert_families(tx, [family])
            if request.device is not None:
                if not await self._devices.allow(tx, request.device, family.id):
                    raise request_gone()
                return True
            await store.insert_code(tx, digest_of(code), family.id, request, after(now, self._code_lifetime(pending.client)))
            await self._audit.record(tx, Event.CODE_ISSUED, actor=signed_in.actor, target=target, details=details)
            return True

        if not await self._db.write(body):
            raise request_gone()
        return await self._respond(pending, code=code)

    def _code_lifetime(self, client: Client) -> timedelta:
        """As the settings say; of a FAPI client at most a minute (FAPI 2.0 Security Profile, section 5.3.2.1)."""
        return min(self._lifetimes.code, _LONGEST_FAPI_CODE) if client.is_fapi else self._lifetimes.code

    async def _refuse(
        self, handle: str, pending: PendingRequest, signed_in: SignedIn | None, refusal: AuthorizationRefused, event: Event
    ) -> Response:
        if signed_in is None:  # stores nothing: anyone can have such a request refused, as often as they like
            return await self._refusal(pending, refusal)
        if handle or pending.request.pushed:
            await self._use_up(handle, pending, signed_in)
        await self._record(pending, signed_in, refusal, event)
        return await self._refusal(pending, refusal)

    async def _use_up(self, handle: str, pending: PendingRequest, signed_in: SignedIn) -> None:
        self._by_account.take(signed_in.account.id)

        async def body(tx: Transaction) -> bool:
            device = pending.request.device
            if device is not None and not await self._devices.deny(tx, device):
                return False
            return await self._requests.answer(tx, handle, pending)

        if not await self._db.write(body):
            raise request_gone()

    async def _record(self, pending: PendingRequest, signed_in: SignedIn, refusal: AuthorizationRefused, event: Event) -> None:
        details = {
            "client": pending.client.name,
            "scope": " ".join(pending.request.scopes),
            "error": refusal.error,
            "reasons": list(refusal.reasons),
        }
        await self._audit.refused(
            self._db,
            event,
            actor=signed_in.actor,
            target=f"client:{pending.client.id}",
            reason=refusal.error,
            details=details,
        )

    # --- responses ---

    async def _refusal(self, pending: PendingRequest, refusal: AuthorizationRefused) -> Response:
        # The reasons name groups, which other people's servers must not learn: they are on the page and in the audit row.
        # A program on the person's own computer may know what they know.
        description = f"{refusal.detail} {_sentences(refusal.reasons)}" if pending.returns_to_this_computer else refusal.detail
        return await self._respond(pending, error=refusal.error, error_description=error_text(description.rstrip()))

    async def _respond(self, pending: PendingRequest, **parameters: str) -> Response:
        request = pending.request
        if request.device is not None:  # it asks by itself
            return RedirectStep(f"{DEVICE_DONE_PAGE}?{'refused' if 'error' in parameters else 'allowed'}")
        mode, state = request.response_mode, request.state
        return await self._responses.make(pending.client, request.redirect_uri, mode, state, **parameters)


def _sentences(reasons: tuple[str, ...]) -> str:
    return " ".join(map(as_sentence, reasons))
