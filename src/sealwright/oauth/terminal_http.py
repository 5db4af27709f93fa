"""The authorization endpoint for terminal clients: the session in the Authorization header, the decision in JSON.

The forms are those of Kanidm, whose clients use them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import Any
from urllib.parse import urlencode

from sealwright.budgets import Budgets
from sealwright.errors import Failure, InvalidInput, NotPermitted, NotSignedIn
from sealwright.http import Listener, Request, RequestAuthenticator, Response, Route, Wire, json_response
from sealwright.identity import SignedIn
from sealwright.ip import network_of
from sealwright.oauth.authorize import AuthorizationEndpoint
from sealwright.oauth.claims import CLAIMS_OF_SCOPE
from sealwright.oauth.http import answer_failure
from sealwright.oauth.issuers.addresses import AUTHORIZATION_PATH
from sealwright.oauth.models import (
    AcceptedRequest,
    ChooseAccountStep,
    ConsentStep,
    FormPostStep,
    NextStep,
    NotAllowedStep,
    SignInStep,
)
from sealwright.oauth.parameters import written

PERMIT_PATH = AUTHORIZATION_PATH + "/permit"
REJECT_PATH = AUTHORIZATION_PATH + "/reject"
_NO_STORE = (("cache-control", "no-store"),)
_PEOPLE = frozenset({Listener.PEOPLE})


class TerminalEndpoints:
    """Asks, permits and rejects; a cookie counts for nothing here, so no page of another site can use it."""

    def __init__(self, authorization: AuthorizationEndpoint, terminals: RequestAuthenticator[SignedIn], budgets: Budgets) -> None:
        """`terminals`: who accepts the sessions of terminals."""
        self._authorization = authorization
        self._terminals = terminals
        self._budgets = budgets

    def presents(self, request: Request) -> bool:
        """Whether the request is of a terminal."""
        return self._terminals.presents(request)

    async def authorize(self, request: Request) -> Response:
        """The authorization endpoint: parameters in the query, or as a JSON object."""
        return await _with_json_failures(request, self._authorize(request))

    async def permit(self, request: Request) -> Response:
        """Allow what a consent token stands for."""
        return await _with_json_failures(request, self._permit(request))

    async def reject(self, request: Request) -> Response:
        """Refuse what a consent token stands for."""
        return await _with_json_failures(request, self._reject(request))

    async def _authorize(self, request: Request) -> Response:
        self._budgets.authorizations_by_network.take(network_of(request.peer.address))
        signed_in = await self._signed_in(request)
        text = request.query_text if request.method == "GET" else urlencode(_members(request))
        begun = await self._authorization.begin(text, request.peer.address)
        if not isinstance(begun, AcceptedRequest):
            return await self._response(request, begun, signed_in)
        await self._require_mode_for_terminals(begun.handle)
        step = await self._authorization.next_step(begun.handle, signed_in)
        if isinstance(step, ChooseAccountStep):  # the session that the terminal sends is the choice
            step = await self._authorization.choose(step.handle, signed_in)
        return await self._response(request, step, signed_in)

    async def _permit(self, request: Request) -> Response:
        signed_in, handle = await self._signed_in(request), _token(request)
        await self._require_mode_for_terminals(handle)
        return await self._response(request, await self._authorization.allow(handle, signed_in), signed_in)

    async def _reject(self, request: Request) -> Response:
        signed_in, handle = await self._signed_in(request), _token(request)
        await self._require_mode_for_terminals(handle)
        return await self._response(request, await self._authorization.deny(handle, signed_in), signed_in)

    async def _require_mode_for_terminals(self, handle: str) -> None:
        """Raise InvalidInput before a code is made that could not be told."""
        if (await self._authorization.pending(handle)).request.response_mode.is_form_post:
            raise _form_post()

    async def _signed_in(self, request: Request) -> SignedIn:
        signed_in = await self._terminals.authenticate(request)
        if signed_in is None:
            raise NotSignedIn("Send the token of a terminal's session in the Authorization header.")
        return signed_in

    async def _response(self, request: Request, step: NextStep, signed_in: SignedIn) -> Response:
        if isinstance(step, SignInStep | ChooseAccountStep):
            raise NotSignedIn("The application asks for a newer sign-in, or for another one.")
        if isinstance(step, NotAllowedStep):
            needs = await self._authorization.needs(await self._authorization.pending(step.handle), signed_in)
            raise NotPermitted(f"This account may not grant {' '.join(need.scope for need in needs)} to the application.")
        if isinstance(step, FormPostStep):
            raise _form_post()
        if isinstance(step, ConsentStep):
            return json_response(200, {"ConsentRequested": await self._consent(step, signed_in)}, headers=_NO_STORE)
        # A POST is answered with 200, so that a client library does not follow the address by itself.
        status = 302 if request.method == "GET" else 200
        return json_response(status, "Permitted", headers=(("location", step.location), *_NO_STORE))

    async def _consent(self, step: ConsentStep, signed_in: SignedIn) -> Mapping[str, Any]:
        pending = await self._authorization.pending(step.handle)
        disclosed = await self._authorization.disclosed_claims(pending, signed_in)
        return {
            "client_name": pending.client.display_name,
            "scopes": sorted(disclosed.scopes),
            "pii_scopes": sorted(scope for scope in disclosed.scopes if scope in CLAIMS_OF_SCOPE and scope != "openid"),
            "claims": disclosed.claims,
            "consent_token": step.handle,
        }


def _form_post() -> InvalidInput:
    return InvalidInput("A response by form_post is for browsers; ask for the response_mode query or fragment.")


async def _with_json_failures(request: Request, work: Awaitable[Response]) -> Response:
    """Failures as JSON: the routes are those of pages, whose failures are HTML."""
    try:
        return await work
    except Failure as failure:
        return answer_failure(request, failure)


def _members(request: Request) -> dict[str, str]:
    """The parameters of a posted JSON object, as a query has them."""
    members = request.json(dict[str, Any])
    return {name: written(value) for name, value in members.items() if value is not None}


def _token(request: Request) -> str:
    """The consent token: in the query, in a form, or as a JSON text."""
    if request.method == "GET":
        return request.query().get("token", "")
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/x-www-form-urlencoded":
        return request.form().get("token", "")
    return request.json(str)


def terminal_routes(endpoints: TerminalEndpoints) -> list[Route]:
    """Every address of terminal clients beside that of the authorization endpoint itself."""
    own = "signed in: what is one's own"
    return [
        Route("GET", PERMIT_PATH, endpoints.permit, _PEOPLE, own, Wire.OAUTH),
        Route("POST", PERMIT_PATH, endpoints.permit, _PEOPLE, own, Wire.OAUTH),
        Route("GET", REJECT_PATH, endpoints.reject, _PEOPLE, own, Wire.OAUTH),
        Route("POST", REJECT_PATH, endpoints.reject, _PEOPLE, own, Wire.OAUTH),
    ]
