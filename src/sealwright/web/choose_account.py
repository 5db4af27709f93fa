"""Which account it shall be, where an application asks for that: the one that is signed in, or another."""

from __future__ import annotations

from sealwright.errors import InvalidInput
from sealwright.http import Response
from sealwright.identity import SignedIn
from sealwright.oauth import (
    CHOOSE_ACCOUNT_PAGE,
    SIGN_IN_PAGE,
    AuthorizationEndpoint,
    ChooseAccountStep,
    ClientImages,
    StepResponse,
)
from sealwright.web.claims_preview import client_preview
from sealwright.web.page_request import PageRequest
from sealwright.web.pages import Pages
from sealwright.web.return_to import read_return_to


class ChooseAccountPages:
    """A browser holds one session: anyone who signs in as someone else takes its place."""

    def __init__(
        self, pages: Pages, authorization: AuthorizationEndpoint, step_response: StepResponse, images: ClientImages
    ) -> None:
        self._pages = pages
        self._authorization = authorization
        self._step_response = step_response
        self._images = images

    async def show(self, page_request: PageRequest, person: SignedIn) -> Response:
        """The page that asks, or straight on where nothing is to be chosen any more."""
        return_to = read_return_to(page_request.request)
        step = await self._authorization.next_step(return_to.handle, person)
        if not isinstance(step, ChooseAccountStep):
            return self._step_response(step)
        pending = await self._authorization.pending(return_to.handle)
        mail = next((each.address for each in person.account.mails), "")
        return self._pages.single(
            "choose-account.html",
            leads_away=True,
            application=client_preview(pending, await self._images.digest_of(pending.client.name)),
            person=person.account,
            mail=mail,
            action=return_to.path(CHOOSE_ACCOUNT_PAGE),
            other=return_to.path(SIGN_IN_PAGE) + "&other",
            csrf_token=page_request.csrf_token_of(person),
        )

    async def decide(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Go on with the account that is signed in, or give up."""
        handle, decision = read_return_to(page_request.request).handle, page_request.typed("decision")
        if decision == "continue":
            return self._step_response(await self._authorization.choose(handle, person))
        if decision == "cancel":
            return self._step_response(await self._authorization.deny(handle, person))
        raise InvalidInput(
            f"The answer must be “continue” or “cancel”, not {decision[:20]!r}.", hint="Go back and press one of the two."
        )
