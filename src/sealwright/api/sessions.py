"""List and end sessions."""

from __future__ import annotations

from contextlib import suppress

from sealwright.access import Permission
from sealwright.api.cookie_callers import check_cookie_caller
from sealwright.api.json_types import Moment, ResponseBody, moment
from sealwright.api.operations import OWN, Call, Operation
from sealwright.api.paging import PAGED, page_of
from sealwright.errors import InvalidInput
from sealwright.http import Response
from sealwright.identity import (
    SESSION_COOKIE,
    Account,
    ApiAuthenticator,
    Directory,
    Session,
    SessionKind,
    SessionNotFound,
    Sessions,
)


class SessionView(ResponseBody, frozen=True, kw_only=True):
    """One sign-in."""

    id: str
    kind: str
    methods: tuple[str, ...]
    address: str
    user_agent: str
    created_at: Moment
    last_seen_at: Moment
    expires_at: Moment
    current: bool
    """Whether it is the session that makes this request."""
    owner: str
    """Name of the account."""


class SessionPage(ResponseBody, frozen=True, kw_only=True):
    """Sessions: of one person the latest sign-in first, of everyone by id."""

    items: list[SessionView]
    next: str | None = None


class EndedSessions(ResponseBody, frozen=True, kw_only=True):
    """How many sessions ended."""

    ended: int


class SessionOperations:
    """Operations about sessions: one's own, and with a permission those of others."""

    def __init__(self, sessions: Sessions, directory: Directory, authenticator: ApiAuthenticator, public_origin: str) -> None:
        self._sessions = sessions
        self._directory = directory
        self._authenticator = authenticator
        self._public_origin = public_origin

    def operations(self) -> list[Operation]:
        """All of them."""
        return [
            Operation(
                "list_sessions",
                "GET",
                "/auth/sessions",
                "List sessions that have not ended.",
                f"{OWN}; for others {Permission.SESSION_READ}",
                self._list,
                returns=SessionPage,
                query={
                    "person": "Whose; by default one's own.",
                    "all": "true: those of everyone.",
                    **PAGED,
                },
            ),
            Operation(
                "end_sessions",
                "DELETE",
                "/auth/sessions",
                "End every session of a person; with except=current not the one that asks.",
                f"{OWN}; for others {Permission.SESSION_REVOKE}",
                self._end_all,
                returns=EndedSessions,
                query={"person": "Whose; by default one's own.", "except": "current: the session that asks goes on."},
                recent_sign_in=False,
            ),
            Operation(
                "end_session",
                "DELETE",
                "/auth/sessions/{id}",
                "End a session at once.",
                f"{OWN}; for others {Permission.SESSION_REVOKE}",
                self._end,
                status=204,
                recent_sign_in=False,
            ),
            Operation(
                "sign_out_browser",
                "POST",
                "/auth/logout",
                "Sign out: end the session that asks. Without one there is nothing to do, and the answer is the same.",
                "public: ends nothing but the session that is shown",
                self._sign_out,
                status=204,
                prefix="",
            ),
        ]

    async def _sign_out(self, call: Call) -> Response:
        signed_in = await self._authenticator.authenticate(call.request)
        own_session = signed_in is not None and signed_in.session.kind in (SessionKind.BROWSER, SessionKind.TERMINAL)
        if signed_in is not None and own_session and not signed_in.by_application:
            check_cookie_caller(call.request, self._public_origin)
            with suppress(SessionNotFound):  # ended from elsewhere in this very moment
                await self._sessions.end(signed_in.session.id, "signed out", actor=signed_in.actor)
        return Response(204, headers=(("set-cookie", f"{SESSION_COOKIE}=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0"),))

    async def _list(self, call: Call) -> SessionPage:
        if call.flag("all"):
            if "person" in call.query:
                raise InvalidInput("all and person exclude each other.", hint="Give one of the two.")
            limit = call.limit()
            everyone = await self._sessions.list_all(beyond=call.query.get("after", ""), at_most=limit + 1, actor=call.actor)
            shown = [session_view(each.session, call.caller.session.id, each.owner) for each in everyone[:limit]]
            return SessionPage(items=shown, next=shown[-1].id if len(everyone) > limit else None)
        account = await self._account(call)
        found = await self._sessions.list_of(account.id, actor=call.actor)
        whole = SessionPage(items=[session_view(each, call.caller.session.id, account.name) for each in found])
        return page_of(call, whole, "created_at", "id", newest_first=True)

    async def _end_all(self, call: Call) -> EndedSessions:
        but = call.query.get("except")
        reason = "ended with all others" if but else "all sessions were ended"
        account_id = call.caller.account.id
        if "person" in call.query:
            account_id = await self._directory.id_for(call.query["person"], Permission.SESSION_REVOKE, actor=call.actor)
        ended = await self._sessions.end_all(account_id, reason, actor=call.actor, but=call.caller.session.id if but else "")
        return EndedSessions(ended=ended)

    async def _account(self, call: Call) -> Account:
        person = call.query.get("person")
        return call.caller.account if person is None else await self._directory.show_person(person, actor=call.actor)

    async def _end(self, call: Call) -> None:
        reason = "signed out" if call.path("id") == call.caller.session.id else "ended from a terminal"
        await self._sessions.end(call.path("id"), reason, actor=call.actor)


def session_view(found: Session, current_id: str, owner: str) -> SessionView:
    """One sign-in; `current_id` is the session that asks."""
    return SessionView(
        id=found.id,
        kind=str(found.kind),
        methods=found.methods,
        address=found.address,
        user_agent=found.user_agent,
        created_at=moment(found.created_at),
        last_seen_at=moment(found.last_seen_at),
        expires_at=moment(found.expires_at),
        current=found.id == current_id,
        owner=owner,
    )
