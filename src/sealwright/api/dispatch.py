"""The phases that all operations share: authentication, permission, parameters, body."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

from sealwright.access import Actor, Permission, RouteGuard, require, require_in_person
from sealwright.api.conditional import is_known, only_if_unchanged, tag_of
from sealwright.api.cookie_callers import check_cookie_caller
from sealwright.api.errors import ReadOnlyToken, RecentSignInNeeded, SessionNeeded, WrongContentType
from sealwright.api.idempotency import IdempotentCalls
from sealwright.api.inner_calls import inner_caller
from sealwright.api.operations import EACH, LARGE_BODY, OWN, QUERY_SCHEMAS, Call, Operation
from sealwright.errors import Action, InvalidInput, NotPermitted, Remedy, Unavailable
from sealwright.http import Handler, Listener, Request, Response, Route, Wire, json_response, whole_number
from sealwright.identity import ApiAuthenticator, ApiKeys, SessionEnd, SessionKind, Sessions, SignedIn


class Dispatch:
    """Runs the shared phases of a call, then its operation."""

    def __init__(
        self,
        authenticator: ApiAuthenticator,
        sessions: Sessions,
        guard: RouteGuard,
        api_keys: ApiKeys,
        idempotent: IdempotentCalls,
        public_origin: str,
    ) -> None:
        """`sessions`: knows whose sign-in is recent; `api_keys`: notes what keys are used with; `public_origin`: of pages."""
        self._authenticator = authenticator
        self._sessions = sessions
        self._guard = guard
        self._api_keys = api_keys
        self._idempotent = idempotent
        self._public_origin = public_origin

    def route(self, operation: Operation, shown_by: Operation | None = None) -> Route:
        """The route of an operation. `shown_by`: reads the object that it is about, where that has versions."""
        return Route(
            method=operation.method,
            path=operation.whole_path,
            handler=self._handler(operation, shown_by),
            listeners=frozenset({Listener.PEOPLE}),
            access=operation.access,
            wire=Wire.API,
            max_body=operation.max_body,
        )

    def _handler(self, operation: Operation, shown_by: Operation | None) -> Handler:
        async def handler(request: Request) -> Response:
            signed_in = None if operation.public else await self._permitted(operation, request)
            call = Call(request, signed_in, _body(request, operation.accepts), _query(request, operation))

            async def work() -> Response:
                if operation.method == "GET":
                    return _answer(call, operation, shown_by, await operation.run(call))
                with only_if_unchanged(call, shown_by):
                    return _answer(call, operation, shown_by, await operation.run(call))

            if signed_in is None:
                return await work()
            async with self._noted_use(operation, signed_in.actor):
                if operation.method != "POST" or operation.changes_nothing:
                    return await work()
                return await self._idempotent.run(request, signed_in.account.id, work, holds_secret=operation.shows_secret)

        handler.__doc__ = operation.summary
        return handler

    @asynccontextmanager
    async def _noted_use(self, operation: Operation, actor: Actor) -> AsyncIterator[None]:
        """Note with which permissions a key was used, unless what it was used for is refused."""
        refused = False
        try:
            yield
        except NotPermitted:
            refused = True
            raise
        finally:
            if actor.api_key and not refused:
                with suppress(Unavailable):  # what was asked for is done; the next use is noted in its place
                    await self._api_keys.note_use(actor.api_key, _used_by(operation, actor))

    async def _permitted(self, operation: Operation, request: Request) -> SignedIn:
        """The caller, where what the route asks of every caller is met. The body was not read yet."""
        signed_in = await self._authenticate(request)
        if signed_in.read_only and operation.method != "GET":
            raise ReadOnlyToken(
                f"{_program(signed_in)} may only read.",
                hint="Use a token that was made for changes.",
            )
        await self._guard.require(signed_in.actor, operation.access, request)
        await self._require_own(operation, signed_in.actor, request)
        _require_own_person(operation, signed_in.actor)
        if operation.large_body_needs is not None and len(request.body) > LARGE_BODY:
            require(signed_in.actor, operation.large_body_needs)
        if operation.needs_recent_sign_in:
            await self._require_recent_sign_in(signed_in)
        return signed_in

    async def _require_own(self, operation: Operation, actor: Actor, request: Request) -> None:
        """Raise NotPermitted where the object is not the caller's own, and the permission for others is lacking altogether."""
        if operation.owns is None or any(actor.permissions.holds_somewhere(each) for each in operation.permissions):
            return
        if not await operation.owns(actor, request.path_parameters):
            for each in sorted(operation.permissions):
                await self._guard.require(actor, str(each), request)

    async def _require_recent_sign_in(self, caller: SignedIn) -> None:
        if not await self._sessions.is_privileged(caller):
            name = caller.account.name
            raise RecentSignInNeeded(
                f"{name} signed in too long ago to change anything.",
                reasons=("changes need a recent sign-in, so that a terminal that was left alone makes none",),
                remedy=Remedy(Action.SIGN_IN_AGAIN, name),
            )

    async def _authenticate(self, request: Request) -> SignedIn:
        known = inner_caller()
        if known is not None:
            return known
        if not self._authenticator.presents(request):
            raise SessionNeeded("No one is signed in.", remedy=Remedy(Action.SIGN_IN))
        signed_in = await self._authenticator.authenticate(request)
        if signed_in is None:
            ended = await self._authenticator.why_refused(request)
            if ended is SessionEnd.INVALID:
                detail = "The session has ended, or the token is not one of a session at a terminal, a service account or a key."
            else:
                detail = f"The credential that was shown is not valid any more: {ended.words}."
            raise SessionNeeded(detail, ended=ended, remedy=Remedy(Action.SIGN_IN))
        if signed_in.session.kind is SessionKind.BROWSER and not signed_in.by_application:
            check_cookie_caller(request, self._public_origin)
        return signed_in


def _require_own_person(operation: Operation, actor: Actor) -> None:
    """Raise PersonNeeded where a program would change what is one's own, or lacks what the operation asks for others."""
    if operation.access == OWN and operation.method != "GET":
        require_in_person(actor, "change what is one's own")
    if not actor.is_in_person:
        for each in operation.permissions:
            require(actor, each, actor.permissions.scopes_of(each))


def _used_by(operation: Operation, actor: Actor) -> frozenset[Permission]:
    """With which permissions a key was used."""
    if operation.access == EACH:
        return frozenset(each for each in Permission if actor.permissions.holds_somewhere(each))
    return operation.permissions


def _answer(call: Call, operation: Operation, shown_by: Operation | None, answer: Any) -> Response:
    if isinstance(answer, Response):
        return answer
    if answer is None:
        return Response(204)
    tag = tag_of(answer, operation, shown_by)
    headers = (("etag", tag),) if tag else ()
    if operation.method == "GET" and is_known(call, tag):
        return Response(304, b"", headers)
    return json_response(operation.status, answer, headers=headers)


def _program(signed_in: SignedIn) -> str:
    name = signed_in.account.name
    if signed_in.by_application:
        return f"An application that acts for {name}"
    if signed_in.session.kind is SessionKind.API_TOKEN:
        return f"The API token {signed_in.session.user_agent!r} of {name}"
    return f"The API key {signed_in.session.user_agent!r} of {name}"


def _body(request: Request, shape: Any) -> Any:
    if shape is None:
        if request.body:
            raise InvalidInput("This operation takes no body.")
        return None
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/json":
        raise WrongContentType(f"The body must be application/json, not {content_type or 'without a type'}.")
    return request.json(shape)


def _query(request: Request, operation: Operation) -> Mapping[str, str]:
    given = request.query() if request.query_text else {}
    known = operation.query
    unknown = sorted(set(given) - set(known))
    if unknown:
        choices = f"there are {', '.join(known)}" if known else "there are none"
        raise InvalidInput(f"The parameter {unknown[0][:64]!r} is not known here; {choices}.")
    missing = [name for name in operation.required_query if name not in given]
    if missing:
        raise InvalidInput(f"The parameter {missing[0]} is missing.", hint=known[missing[0]])
    for name, text in given.items():
        _require_form(name, text)
    return given


def _require_form(name: str, text: str) -> None:
    """Raise InvalidInput where a parameter has not the form that is described, also where its value would play no part."""
    schema = QUERY_SCHEMAS.get(name, {})
    if schema.get("type") == "integer":
        whole_number(name, text, schema["minimum"], schema["maximum"])
    choices = schema.get("enum", ("true", "false") if schema.get("type") == "boolean" else ())
    if choices and text not in choices:
        raise InvalidInput(f"{name} is {text[:20]!r}; it must be {' or '.join(choices)}.")
