"""The page behind an invitation: someone chooses their first password, and is signed in."""

from __future__ import annotations

from sealwright.http import Response
from sealwright.identity import Account, Invitations, WeakPassword
from sealwright.web.cookies import set_device, set_session
from sealwright.web.forms import FormError
from sealwright.web.new_password import link_token, new_password_errors, new_password_form, weak_password_errors
from sealwright.web.notices import done
from sealwright.web.page_request import PageRequest
from sealwright.web.pages import Pages
from sealwright.web.return_to import HOME


class InvitationPages:
    """Made by an administrator, for one use. Leads on to the account, where a second factor is set up."""

    def __init__(self, pages: Pages, invitations: Invitations) -> None:
        self._pages = pages
        self._invitations = invitations

    async def show(self, page_request: PageRequest) -> Response:
        """The form for the first password."""
        return self._form(page_request, await self._invitations.person_of(link_token(page_request)))

    async def submit(self, page_request: PageRequest) -> Response:
        """Set the first password."""
        person = await self._invitations.person_of(link_token(page_request))
        errors = new_password_errors(page_request)
        if errors:
            return self._form(page_request, person, errors)
        try:
            completed = await self._invitations.accept(
                link_token(page_request),
                page_request.typed("password"),
                address=page_request.address,
                user_agent=page_request.user_agent,
                device_token=page_request.device_token,
            )
        except WeakPassword as refusal:
            return self._form(page_request, person, weak_password_errors(refusal))
        return done(HOME, "welcome", set_session(completed.token), set_device(completed.device_token))

    def _form(self, page_request: PageRequest, person: Account, errors: tuple[FormError, ...] = ()) -> Response:
        return new_password_form(self._pages, "invitation.html", page_request, person, errors)
