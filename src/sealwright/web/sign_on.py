"""Sign in with another identity provider: the redirect to it, and the callback."""

from __future__ import annotations

from urllib.parse import urlencode

from sealwright.budgets import Budget
from sealwright.errors import InvalidInput
from sealwright.http import Response, redirect
from sealwright.identity import (
    PRE_LOGIN_LIFETIME,
    SESSION_COOKIE,
    RefusedSignOn,
    Sessions,
    SignOnRefused,
    UpstreamSignOn,
)
from sealwright.ip import network_of
from sealwright.oauth import CONTINUE_PATH, SIGN_IN_PAGE
from sealwright.web.cookies import SIGN_ON_COOKIE, clear, set_device, set_session, set_sign_on
from sealwright.web.page_request import PageRequest
from sealwright.web.pages import LEADS_AWAY, Pages
from sealwright.web.return_to import read_return_to
from sealwright.web.sign_in import end_session_of_someone_else

MOST_GROUPS_SHOWN = 200


class SignOnPages:
    """Handlers of the redirect and of the callback. A refused sign-in is shown on a page of its own, with its reason."""

    def __init__(self, pages: Pages, sign_on: UpstreamSignOn, sessions: Sessions, by_network: Budget) -> None:
        """`by_network`: how often one network may begin and come back, for each is a row and a call to another server."""
        self._by_network = by_network
        self._pages = pages
        self._sessions = sessions
        self._sign_on = sign_on

    async def begin(self, page_request: PageRequest) -> Response:
        """Lead to the provider that the query names."""
        self._by_network.take(network_of(page_request.address))
        provider_id = page_request.request.query().get("provider", "")
        if not provider_id:
            raise InvalidInput("The address names no identity provider.", hint="Begin from the sign-in page.")
        return_to = read_return_to(page_request.request)
        continue_at = return_to.path(CONTINUE_PATH) if return_to.handle else return_to.page
        again = page_request.signed_in is not None
        try:
            begun = await self._sign_on.begin(provider_id, return_to=continue_at, address=page_request.address, again=again)
        except SignOnRefused as refusal:
            return self._refused(refusal)
        return redirect(begun.location, headers=(set_sign_on(begun.cookie, PRE_LOGIN_LIFETIME), *LEADS_AWAY))

    async def finish(self, page_request: PageRequest) -> Response:
        """Check what came back, and lead on with a session, or to the page that says why there is none."""
        request = page_request.request
        self._by_network.take(network_of(page_request.address))
        try:
            done = await self._sign_on.complete(
                request.query(),
                cookie=request.cookie(SIGN_ON_COOKIE) or "",
                address=page_request.address,
                user_agent=page_request.user_agent,
                held_token=request.cookie(SESSION_COOKIE) or "",
                device_token=page_request.device_token,
            )
        except SignOnRefused as refusal:
            return self._refused(refusal)
        completed = done.completed
        await end_session_of_someone_else(self._sessions, page_request, completed)
        headers = (set_session(completed.token), set_device(completed.device_token), clear(SIGN_ON_COOKIE), *LEADS_AWAY)
        return redirect(done.return_to, headers=headers)

    def _refused(self, refusal: SignOnRefused) -> Response:
        return self._pages.single(
            "sign-on-refused.html",
            status=400 if refusal.reason is RefusedSignOn.MISSING_PRE_LOGIN_COOKIE else 403,
            headers=(clear(SIGN_ON_COOKIE),),
            detail=refusal.detail,
            hint=refusal.hint,
            reason=str(refusal.reason),
            groups=refusal.groups[:MOST_GROUPS_SHOWN],
            sign_in_id=refusal.sign_in_id,
            sign_in=SIGN_IN_PAGE,
        )


async def to_sign_in(page_request: PageRequest) -> Response:
    """`/login`, an address that other programs link to, redirects to the sign-in page."""
    query = page_request.request.query()
    return redirect(f"{SIGN_IN_PAGE}?{urlencode(query)}" if query else SIGN_IN_PAGE)
