"""You may not use this application: what is missing, whom to ask, and the way back."""

from __future__ import annotations

from sealwright.http import Response, redirect
from sealwright.identity import SignedIn
from sealwright.oauth import CONTINUE_PATH, NOT_ALLOWED_PAGE, SIGN_IN_PAGE, AuthorizationEndpoint, ClientImages, StepResponse
from sealwright.web.claims_preview import client_preview, missing_scopes
from sealwright.web.page_request import PageRequest
from sealwright.web.pages import LEADS_AWAY, Pages
from sealwright.web.return_to import read_return_to


class NotAllowedPages:
    """Shown before the application gets its error, so that no one is thrown back to it without knowing why."""

    def __init__(
        self, pages: Pages, authorization: AuthorizationEndpoint, step_response: StepResponse, images: ClientImages
    ) -> None:
        self._pages = pages
        self._step_response = step_response
        self._authorization = authorization
        self._images = images

    async def show(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Which application, what is missing and whom to ask; straight on where nothing is missing any more."""
        return_to = read_return_to(page_request.request)
        pending = await self._authorization.pending(return_to.handle)
        needs = await self._authorization.needs(pending, person)
        if not needs:
            return redirect(return_to.path(CONTINUE_PATH), headers=LEADS_AWAY)
        missing = missing_scopes(needs)
        return self._pages.single(
            "not-allowed.html",
            status=403,
            leads_away=True,
            application=client_preview(pending, await self._images.digest_of(pending.client.name)),
            person=person.account,
            missing_scopes=missing,
            joinable=len({group for scope in missing for group in scope.groups}),
            action=return_to.path(NOT_ALLOWED_PAGE),
            not_you=return_to.path(SIGN_IN_PAGE) + "&other",
            csrf_token=page_request.csrf_token_of(person),
        )

    async def go_back(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Back to the application, with access_denied."""
        return self._step_response(await self._authorization.go_back(read_return_to(page_request.request).handle, person))
