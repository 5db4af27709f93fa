"""One operation of the API, and the phases that all of them share: authentication, parameters, body."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec

from sealwright.access import Actor, Permission, RouteGuard, require
from sealwright.api.errors import ReadOnlyToken, RecentSignInNeeded, SessionNeeded, WrongContentType
from sealwright.errors import Action, InvalidInput, Remedy
from sealwright.http import (
    MAX_BODY,
    Handler,
    Listener,
    Request,
    RequestAuthenticator,
    Response,
    Route,
    Wire,
    json_response,
    whole_number,
)
from sealwright.identity import ApiKeys, PersonNeeded, SessionKind, Sessions, SignedIn

PREFIX = "/api/v1"
OWN = "signed in: what is one's own"
"""The access of operations on the caller's own data."""
EACH = "signed in: each change needs the permission of its own kind"
"""The access of operations on objects of several kinds."""
EVEN_IF_USED = {
    "even_if_used": "true: delete it although clients or provisioners use it. Without it, these are named and nothing is done."
}
"""The query parameter that confirms the deletion of something in use."""
PAGE = 100
LONGEST_PAGE = 1_000


class Call(msgspec.Struct, frozen=True):
    """One call, with the results of the shared phases."""

    request: Request
    signed_in: SignedIn | None
    body: Any
    query: Mapping[str, str]

    @property
    def caller(self) -> SignedIn:
        """The authenticated caller. Only for operations that are not public."""
        if self.signed_in is None:
            raise SessionNeeded("This needs a session.")
        return self.signed_in

    @property
    def actor(self) -> Actor:
        """The actor of the call."""
        return self.caller.actor

    def path(self, name: str) -> str:
        """A parameter of the path."""
        return self.request.path_parameters[name]

    def limit(self) -> int:
        """The page size that was asked for."""
        return whole_number("limit", self.query.get("limit", str(PAGE)), 1, LONGEST_PAGE)

    def flag(self, name: str) -> bool:
        """The value of a boolean parameter; false if it is absent."""
        text = self.query.get(name, "false")
        if text not in ("true", "false"):
            raise InvalidInput(f"{name} is {text[:20]!r}; it must be true or false.")
        return text == "true"


Run = Callable[[Call], Awaitable[Any]]


class Operation(msgspec.Struct, frozen=True):
    """One operation: its route, access, parameters and bodies. Routes and the OpenAPI document are made from these."""

    name: str
    method: str
    path: str
    """Below the prefix."""
    summary: str
    access: str
    """A permission, which is asked for before anything else; or `OWN`, `EACH`, or ``public: reason``, where `run` decides."""
    run: Run
    returns: Any = None
    accepts: Any = None
    query: Mapping[str, str] = msgspec.field(default_factory=dict)
    """Query parameter → description."""
    status: int = 200
    media_type: str = "application/json"
    """Of what is returned. As JSON lines, `returns` is the shape of one line."""
    recent_sign_in: bool | None = None
    """Whether it needs a recent sign-in; by default if it changes something."""
    also_returns: tuple[int, Any] | None = None
    """Another successful status, and the body that goes with it."""
    max_body: int = MAX_BODY
    in_person: bool = False
    """Whether an API key is not enough, whatever its scope: it would make or show a credential that outlives the key."""

    @property
    def public(self) -> bool:
        """Whether the operation needs no authentication."""
        return self.access.startswith("public:")

    @property
    def permissions(self) -> frozenset[Permission]:
        """The permissions that the access names: of what is one's own or others', that for others."""
        return frozenset(each for each in Permission if str(each) in self.access.replace(";", " ").split())

    @property
    def needs_recent_sign_in(self) -> bool:
        """Whether the sign-in of the session must be recent."""
        return not self.public and (self.method != "GET" if self.recent_sign_in is None else self.recent_sign_in)


class Dispatch:
    """Runs the shared phases of a call, then its operation."""

    def __init__(
        self, authenticator: RequestAuthenticator[SignedIn], sessions: Sessions, guard: RouteGuard, api_keys: ApiKeys
    ) -> None:
        """`sessions`: knows whose sign-in is recent; `api_keys`: notes what keys are used with."""
        self._authenticator = authenticator
        self._sessions = sessions
        self._guard = guard
        self._api_keys = api_keys

    def route(self, operation: Operation) -> Route:
        """The route of an operation."""
        return Route(
            method=operation.method,
            path=PREFIX + operation.path,
            handler=self._handler(operation),
            listeners=frozenset({Listener.PEOPLE}),
            access=operation.access,
            wire=Wire.API,
            max_body=operation.max_body,
        )

    def _handler(self, operation: Operation) -> Handler:
        async def handler(request: Request) -> Response:
            signed_in = None if operation.public else await self._permitted(operation, request)
            call = Call(request, signed_in, _body(request, operation.accepts), _query(request, operation.query))
            answer = await operation.run(call)
            if isinstance(answer, Response):
                return answer
            return Response(204) if answer is None else json_response(operation.status, answer)

        handler.__doc__ = operation.summary
        return handler

    async def _permitted(self, operation: Operation, request: Request) -> SignedIn:
        """The caller, where what the route asks of every caller is met. The body was not read yet."""
        signed_in = await self._authenticate(request)
        if signed_in.read_only and operation.method != "GET":
            raise ReadOnlyToken(
                f"The API token {signed_in.session.user_agent!r} of {signed_in.account.name} may only read.",
                hint="Use a token that was made for changes.",
            )
        await self._guard.require(signed_in.actor, operation.access, request)
        if signed_in.session.kind is SessionKind.API_KEY:
            await self._api_keys.note_use(signed_in.session.id, _open_to_key(operation, signed_in))
        if operation.needs_recent_sign_in:
            await self._require_recent_sign_in(signed_in)
        return signed_in

    async def _require_recent_sign_in(self, caller: SignedIn) -> None:
        if not await self._sessions.is_privileged(caller):
            name = caller.account.name
            raise RecentSignInNeeded(
                f"{name} signed in too long ago to change anything.",
                reasons=("changes need a recent sign-in, so that a terminal that was left alone makes none",),
                remedy=Remedy(Action.SIGN_IN_AGAIN, name),
            )

    async def _authenticate(self, request: Request) -> SignedIn:
        if not self._authenticator.presents(request):
            raise SessionNeeded("No one is signed in.", remedy=Remedy(Action.SIGN_IN))
        signed_in = await self._authenticator.authenticate(request)
        if signed_in is None:
            raise SessionNeeded(
                "The session has ended, or the token is not one of a session at a terminal or of a service account.",
                remedy=Remedy(Action.SIGN_IN),
            )
        return signed_in


def _open_to_key(operation: Operation, signed_in: SignedIn) -> frozenset[Permission]:
    """With which permissions the caller's API key is used; raises PersonNeeded where the operation is not open to keys."""
    held = signed_in.actor.permissions
    if operation.access == EACH:
        return frozenset(each for each in Permission if held.holds_somewhere(each))
    named = operation.permissions
    only_one_s_own = operation.access == OWN and operation.method != "GET"
    if operation.in_person or only_one_s_own:
        raise PersonNeeded(
            f"The API key {signed_in.session.user_agent!r} of {signed_in.account.name} cannot do this.",
            reasons=("what makes or changes credentials, and what is one's own, is done by the person",),
            remedy=Remedy(Action.SIGN_IN, signed_in.account.name),
        )
    for each in named:
        require(signed_in.actor, each, held.scopes_of(each))
    return named


def _body(request: Request, shape: Any) -> Any:
    if shape is None:
        if request.body:
            raise InvalidInput("This operation takes no body.")
        return None
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/json":
        raise WrongContentType(f"The body must be application/json, not {content_type or 'without a type'}.")
    return request.json(shape)


def _query(request: Request, known: Mapping[str, str]) -> Mapping[str, str]:
    if not request.query_text:
        return {}
    given = request.query()
    unknown = sorted(set(given) - set(known))
    if unknown:
        choices = f"there are {', '.join(known)}" if known else "there are none"
        raise InvalidInput(f"The parameter {unknown[0][:64]!r} is not known here; {choices}.")
    return given
