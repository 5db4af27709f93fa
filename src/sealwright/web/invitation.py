"""The page behind an invitation: somebody chooses their first password, and is signed in."""

from __future__ import annotations

from sealwright.http import Response
from sealwright.identity import MIN_PASSWORD, Account, Invitations, WeakPassword
from sealwright.web.cookies import set_device, set_session
from sealwright.web.forms import Problem, fields_of, missing, not_the_same
from sealwright.web.notices import done
from sealwright.web.onward import HOME
from sealwright.web.pages import Pages
from sealwright.web.visits import Visit


class InvitationPages:
    """Made by an administrator, good once. Leads on to the account, where a second factor is set up."""

    def __init__(self, pages: Pages, invitations: Invitations) -> None:
        self._pages = pages
        self._invitations = invitations

    async def show(self, visit: Visit) -> Response:
        """The form for the first password."""
        return self._form(visit, await self._invitations.person_of(_token(visit)))

    async def submit(self, visit: Visit) -> Response:
        """Set the first password."""
        person = await self._invitations.person_of(_token(visit))
        problems = missing(visit.form, {"password": "Choose a password."}) or not_the_same(
            visit.form, "password", "password-again"
        )
        if problems:
            return self._form(visit, person, problems=problems)
        try:
            completed = await self._invitations.accept(
                _token(visit),
                visit.typed("password"),
                address=visit.address,
                user_agent=visit.user_agent,
                device_token=visit.device_token,
            )
        except WeakPassword as refusal:
            return self._form(visit, person, problems=fields_of(refusal, {WeakPassword: "password"}))
        return done(HOME, "welcome", set_session(completed.token), set_device(completed.device_token))

    def _form(self, visit: Visit, person: Account, *, problems: tuple[Problem, ...] = ()) -> Response:
        return self._pages.single(
            "invitation.html",
            status=422 if problems else 200,
            person=person,
            problems=problems,
            shortest_password=MIN_PASSWORD,
            action=visit.request.path,
            form_token=visit.open_token,
        )


def _token(visit: Visit) -> str:
    return visit.request.path_parameters["token"]
