"""The authorization server as browsers see it: the addresses where people are sent by applications, and what comes next there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol
from urllib.parse import quote

from sealwright.budgets import Budgets
from sealwright.http import Listener, Request, RequestAuthenticator, Response, Route, Wire, redirect
from sealwright.identity import SignedIn
from sealwright.ip import network_of
from sealwright.oauth.authorize import AuthorizationEndpoint
from sealwright.oauth.errors import UnprovenRequest
from sealwright.oauth.issuers.addresses import AUTHORIZATION_PATH, LOGOUT_PATH
from sealwright.oauth.logout.endpoint import LogoutEndpoint
from sealwright.oauth.models import (
    AcceptedRequest,
    ChooseAccountStep,
    ConsentStep,
    FormPostStep,
    NextStep,
    NotAllowedStep,
    RedirectStep,
    SignInStep,
)
from sealwright.oauth.terminal_http import TerminalEndpoints

SIGN_IN_PAGE = "/ui/sign-in"
CONSENT_PAGE = "/ui/oauth2/consent"
CHOOSE_ACCOUNT_PAGE = "/ui/oauth2/choose-account"
NOT_ALLOWED_PAGE = "/ui/oauth2/not-allowed"
CONTINUE_PATH = "/ui/oauth2/continue"
LOGOUT_PAGE = "/ui/oauth2/logout"

_ON_THE_WAY = (
    ("referrer-policy", "no-referrer"),
    # Many applications open the sign-in in a window of their own and wait for it to come back; any stricter policy, on any
    # answer on the way, would cut that window off from them.
    ("cross-origin-opener-policy", "unsafe-none"),
)
_PEOPLE = frozenset({Listener.PEOPLE})


class BrowserEndpoints:
    """The handlers."""

    def __init__(
        self,
        *,
        authorization: AuthorizationEndpoint,
        logout: LogoutEndpoint,
        browser: RequestAuthenticator[SignedIn],
        budgets: Budgets,
        step_response: StepResponse,
        terminals: TerminalEndpoints,
    ) -> None:
        self._authorization = authorization
        self._logout = logout
        self._browser = browser
        self._budgets = budgets
        self._step_response = step_response
        self._terminals = terminals

    async def authorize(self, request: Request) -> Response:
        """The authorization endpoint by GET, for browsers; with a session of a terminal in the Authorization header, as JSON."""
        if self._terminals.presents(request):
            return await self._terminals.authorize(request)
        return self._step_response(await self._first_step(request))

    async def _first_step(self, request: Request) -> NextStep:
        self._budgets.authorizations_by_network.take(network_of(request.peer.address))
        signed_in = await self._signed_in(request)
        return await self._authorization.first_step(request.query_text, signed_in, request.peer.address)

    async def authorize_by_form(self, request: Request) -> Response:
        """The same by POST. A form from another site comes without cookies, so the browser is sent on with a GET first."""
        if self._terminals.presents(request):
            return await self._terminals.authorize(request)
        self._budgets.authorizations_by_network.take(network_of(request.peer.address))
        begun = await self._authorization.begin(form_text(request), request.peer.address)
        if not isinstance(begun, AcceptedRequest):
            return self._step_response(begun)
        return redirect(page_address(CONTINUE_PATH, begun), headers=_ON_THE_WAY)

    async def proceed(self, request: Request) -> Response:
        """Back to a pending request, after signing in or from anywhere: the next step is picked from what is stored."""
        handle = request.query().get("request", "")
        return self._step_response(await self._authorization.next_step(handle, await self._signed_in(request)))

    async def log_out(self, request: Request) -> Response:
        """The end session endpoint: the request is checked, then asked about on a page, or done."""
        self._budgets.authorizations_by_network.take(network_of(request.peer.address))
        handle = await self._logout.begin(request.query_text if request.method == "GET" else form_text(request))
        return redirect(f"{LOGOUT_PAGE}?request={handle}", headers=_ON_THE_WAY)

    async def _signed_in(self, request: Request) -> SignedIn | None:
        return await self._browser.authenticate(request)


def browser_routes(endpoints: BrowserEndpoints) -> list[Route]:
    """Every address that browsers are sent to."""
    page = Wire.PAGE
    asks = "public: anyone may ask; the client and the redirect URI are proven first"
    asks_to_end = "public: anyone may ask; the person is asked, unless an ID token of their session is shown"
    return [
        Route("GET", AUTHORIZATION_PATH, endpoints.authorize, _PEOPLE, asks, page),
        Route("POST", AUTHORIZATION_PATH, endpoints.authorize_by_form, _PEOPLE, asks, page),
        Route("GET", "/ui/oauth2", endpoints.authorize, _PEOPLE, asks, page),
        Route("GET", LOGOUT_PATH, endpoints.log_out, _PEOPLE, asks_to_end, page),
        Route("POST", LOGOUT_PATH, endpoints.log_out, _PEOPLE, asks_to_end, page),
        Route("GET", CONTINUE_PATH, endpoints.proceed, _PEOPLE, asks, page),
    ]


FormPostPage = Callable[[FormPostStep], Response]
"""Renders the page that posts a response; the pages of another package know how."""
StepResponse = Callable[[NextStep], Response]


def step_responses(form_post_page: FormPostPage) -> StepResponse:
    """The function that says where the browser goes next. The pages for signing in and deciding use it, too."""

    def respond(step: NextStep) -> Response:
        if isinstance(step, FormPostStep):
            return form_post_page(step)
        if isinstance(step, RedirectStep):
            return redirect(step.location, headers=_ON_THE_WAY)
        return redirect(page_address(_PAGES[type(step)], step), headers=_ON_THE_WAY)

    return respond


_PAGES: Mapping[type[object], str] = {
    SignInStep: SIGN_IN_PAGE,
    ChooseAccountStep: CHOOSE_ACCOUNT_PAGE,
    ConsentStep: CONSENT_PAGE,
    NotAllowedStep: NOT_ALLOWED_PAGE,
}


class _Waiting(Protocol):
    @property
    def handle(self) -> str: ...


def page_address(path: str, step: _Waiting) -> str:
    """The page at `path` for a pending request."""
    return f"{path}?request={quote(step.handle, safe='')}"


def form_text(request: Request) -> str:
    """The body of a posted authorization request, still encoded; raises UnprovenRequest where it is not a form."""
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        if content_type == "application/x-www-form-urlencoded":
            return request.body.decode("utf-8")
    except UnicodeDecodeError as cause:
        raise UnprovenRequest("The application's request is not UTF-8 text.") from cause
    raise UnprovenRequest(
        "The application's request is not a form.",
        reasons=(f"its content type is {content_type[:80] or 'missing'}, not application/x-www-form-urlencoded",),
    )
