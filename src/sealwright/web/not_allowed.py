"""You may not use this application: what is missing, whom to ask, and the way back."""

from __future__ import annotations

from sealwright.http import Response, redirect
from sealwright.identity import SignedIn
from sealwright.oauth import CONTINUE_PATH, NOT_ALLOWED_PAGE, SIGN_IN_PAGE, Authorization, answer_step
from sealwright.web.onward import read_onward
from sealwright.web.pages import LEADS_AWAY, Pages
from sealwright.web.visits import Visit
from sealwright.web.wishes import application_of, lacks_of


class NotAllowedPages:
    """Shown before the application is told, so that nobody is thrown back to it without knowing why."""

    def __init__(self, pages: Pages, authorization: Authorization) -> None:
        self._pages = pages
        self._authorization = authorization

    async def show(self, visit: Visit, person: SignedIn) -> Response:
        """Which application, what is missing and whom to ask; straight on where nothing is missing any more."""
        onward = read_onward(visit.request)
        pending = await self._authorization.pending(onward.handle)
        needs = await self._authorization.needs(pending, person)
        if not needs:
            return redirect(onward.path(CONTINUE_PATH), headers=LEADS_AWAY)
        lacks = lacks_of(needs)
        return self._pages.single(
            "not-allowed.html",
            status=403,
            leads_away=True,
            application=application_of(pending),
            person=person.account,
            needs=lacks,
            joinable=len({group for lack in lacks for group in lack.groups}),
            action=onward.path(NOT_ALLOWED_PAGE),
            not_you=onward.path(SIGN_IN_PAGE) + "&other",
            form_token=visit.token_of(person),
        )

    async def go_back(self, visit: Visit, person: SignedIn) -> Response:
        """Back to the application, which is told that access was denied."""
        return answer_step(await self._authorization.go_back(read_onward(visit.request).handle, person))
