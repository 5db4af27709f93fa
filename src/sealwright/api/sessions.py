"""List and end sessions."""

from __future__ import annotations

from sealwright.access import Permission
from sealwright.api import answers, models
from sealwright.api.operations import OWN, Call, Operation
from sealwright.identity import Directory, Sessions


class SessionList:
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
                "List sessions that hold.",
                f"{OWN}; for others {Permission.SESSION_READ}",
                self._list,
                gives=models.SessionPage,
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
            ),
        ]

    async def _list(self, call: Call) -> models.SessionPage:
        person = call.query.get("person")
        account = call.caller.account if person is None else await self._directory.show_person(person, actor=call.actor)
        found = await self._sessions.list_of(account.id, actor=call.actor)
        return models.SessionPage(items=[answers.session(each, call.caller.session.id) for each in found])

    async def _end(self, call: Call) -> None:
        reason = "signed out" if call.path("id") == call.caller.session.id else "ended from a terminal"
        await self._sessions.end(call.path("id"), reason, actor=call.actor)
