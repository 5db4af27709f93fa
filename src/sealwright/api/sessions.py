"""List and end sessions."""

from __future__ import annotations

from sealwright.access import Permission
from sealwright.api.json_types import Moment, ResponseBody, moment
from sealwright.api.operations import OWN, Call, Operation
from sealwright.identity import Directory, Session, Sessions


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


class SessionPage(ResponseBody, frozen=True, kw_only=True):
    """Sessions, newest first."""

    items: list[SessionView]
    next: str | None = None


class SessionOperations:
    """Operations about sessions: one's own, and with a permission those of others."""

    def __init__(self, sessions: Sessions, directory: Directory) -> None:
        self._sessions = sessions
        self._directory = directory

    def operations(self) -> list[Operation]:
        """All of them."""
        return [
            Operation(
                "list_sessions",
                "GET",
                "/sessions",
                "List sessions that have not ended.",
                f"{OWN}; for others {Permission.SESSION_READ}",
                self._list,
                returns=SessionPage,
                query={"person": "Whose; by default one's own."},
            ),
            Operation(
                "end_session",
                "DELETE",
                "/sessions/{id}",
                "End a session at once.",
                f"{OWN}; for others {Permission.SESSION_REVOKE}",
                self._end,
                status=204,
                recent_sign_in=False,
            ),
        ]

    async def _list(self, call: Call) -> SessionPage:
        person = call.query.get("person")
        account = call.caller.account if person is None else await self._directory.show_person(person, actor=call.actor)
        found = await self._sessions.list_of(account.id, actor=call.actor)
        return SessionPage(items=[session_view(each, call.caller.session.id) for each in found])

    async def _end(self, call: Call) -> None:
        reason = "signed out" if call.path("id") == call.caller.session.id else "ended from a terminal"
        await self._sessions.end(call.path("id"), reason, actor=call.actor)


def session_view(found: Session, current_id: str) -> SessionView:
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
    )
