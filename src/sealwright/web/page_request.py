"""What every page and form needs first: who is signed in, and whether the form was made by a page of ours.

Pages and forms are called only from here, so none can leave the checks out.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final
from urllib.parse import urlencode

from msgspec import Struct

from sealwright.access import Permission, RouteGuard
from sealwright.entropy import Entropy
from sealwright.errors import Failure
from sealwright.http import Handler, Request, RequestAuthenticator, Response, redirect
from sealwright.identity import Sessions, SignedIn
from sealwright.oauth import SIGN_IN_PAGE
from sealwright.web.cookies import DEVICE_COOKIE, NOTICE_COOKIE, clear
from sealwright.web.forms import CSRF_FIELD, CsrfSecret, check_csrf_token, check_sender, csrf_secret
from sealwright.web.pages import LEADS_AWAY
from sealwright.web.return_to import HOME, ReturnTo, requested_page

_ADD_CREDENTIALS: Final = (*(f"{HOME}/{page}" for page in ("password", "authenticator", "passkey", "sessions")), "/ui/sign-out")
"""What a session may use that only serves to add the credential that a policy asks for; each with what is below it."""
CONFIRM: Final = "confirm"
"""Parameter of the sign-in page: anyone who is signed in signs in again."""


class PageRequest(Struct, frozen=True):
    """One request of a browser."""

    request: Request
    signed_in: SignedIn | None
    csrf_secret: CsrfSecret
    form: Mapping[str, str]
    """Fields of a form that passed the checks; empty where nothing was sent."""

    @property
    def unrestricted(self) -> SignedIn | None:
        """Who is signed in, where the session does more than to add the credential that a policy asks for."""
        return None if self.signed_in is None or self.signed_in.session.restricted else self.signed_in

    @property
    def anonymous_csrf_token(self) -> str:
        """CSRF token for forms of people who are not signed in yet."""
        return self.csrf_secret.csrf_token("")

    def csrf_token_of(self, person: SignedIn) -> str:
        """CSRF token for forms of this person's session."""
        return self.csrf_secret.csrf_token(person.session.id)

    def typed(self, name: str) -> str:
        """One field of the form; empty where it is missing."""
        return self.form.get(name, "")

    @property
    def address(self) -> str:
        """Of the peer."""
        return self.request.peer.address

    @property
    def device_token(self) -> str:
        """What the browser was given when someone signed in from it before; empty where it was not."""
        return self.request.cookie(DEVICE_COOKIE) or ""

    @property
    def user_agent(self) -> str:
        """What the browser calls itself."""
        return self.request.headers.get("user-agent", "")


OpenAction = Callable[[PageRequest], Awaitable[Response]]
PersonalAction = Callable[[PageRequest, SignedIn], Awaitable[Response]]
ConsoleRefusal = Callable[[PageRequest, SignedIn, Failure], Response]
"""Shows a failure within the console, to someone who is signed in."""


class PageHandlers:
    """Makes handlers of pages and forms."""

    def __init__(
        self,
        authenticator: RequestAuthenticator[SignedIn],
        sessions: Sessions,
        guard: RouteGuard,
        entropy: Entropy,
        public_origin: str,
        refusal: ConsoleRefusal,
    ) -> None:
        self._authenticator = authenticator
        self._sessions = sessions
        self._guard = guard
        self._entropy = entropy
        self._public_origin = public_origin
        self._refusal = refusal

    def open_page(self, show: OpenAction) -> Handler:
        """A page that anyone may see."""

        async def handler(request: Request) -> Response:
            page_request = await self._begin(request)
            return _with_cookies(await show(page_request), page_request)

        handler.__doc__ = show.__doc__
        return handler

    def open_form(self, act: OpenAction) -> Handler:
        """A form that anyone may send. Its CSRF token belongs to no session, so a sign-in in another tab does not spoil it."""

        async def handler(request: Request) -> Response:
            page_request = await self._begin(request, sends_form=True)
            check_csrf_token(page_request.typed(CSRF_FIELD), page_request.csrf_secret, "")
            return await act(page_request)

        handler.__doc__ = act.__doc__
        return handler

    def personal_page(self, show: PersonalAction) -> Handler:
        """A page for someone who is signed in; others are sent to sign in and come back."""

        async def handler(request: Request) -> Response:
            page_request = await self._begin(request)
            if page_request.signed_in is None:
                return sign_in_first(request)
            if page_request.signed_in.session.restricted and not _adds_credentials(request.path):
                return redirect(HOME)
            return _without_notice(_with_cookies(await show(page_request, page_request.signed_in), page_request), request)

        handler.__doc__ = show.__doc__
        return handler

    def personal_form(self, act: PersonalAction, *, page: str) -> Handler:
        """A form of someone who is signed in. Without a session nothing is done, and `page` is where to start again."""

        async def handler(request: Request) -> Response:
            page_request = await self._begin(request, sends_form=True)
            if page_request.signed_in is None:
                return sign_in_first(request, page)
            if page_request.signed_in.session.restricted and not _adds_credentials(request.path):
                return redirect(HOME)
            check_csrf_token(page_request.typed(CSRF_FIELD), page_request.csrf_secret, page_request.signed_in.session.id)
            return await act(page_request, page_request.signed_in)

        handler.__doc__ = act.__doc__
        return handler

    def privileged_page(self, show: PersonalAction) -> Handler:
        """A page that needs a recent sign-in; others sign in again and come back."""

        async def checked(page_request: PageRequest, person: SignedIn) -> Response:
            if not await self._sessions.is_privileged(person):
                return confirm_first(requested_page(page_request.request))
            return await show(page_request, person)

        checked.__doc__ = show.__doc__
        return self.personal_page(checked)

    def privileged_form(self, act: PersonalAction, *, page: str) -> Handler:
        """A form that needs a recent sign-in. Without one nothing is done, and `page` is where to start again."""

        async def checked(page_request: PageRequest, person: SignedIn) -> Response:
            if not await self._sessions.is_privileged(person):
                return confirm_first(page)
            return await act(page_request, person)

        checked.__doc__ = act.__doc__
        return self.personal_form(checked, page=page)

    def permitted_page(self, show: PersonalAction, permission: Permission, *, recent: bool = False) -> Handler:
        """A page for those who hold a permission, which is also the `access` of its route.

        `recent`: it needs a recent sign-in, so that no one fills in a form that is not taken.
        """
        checked = self._permitted(show, str(permission))
        return self.privileged_page(checked) if recent else self.personal_page(checked)

    def permitted_form(self, act: PersonalAction, permission: Permission, *, page: str) -> Handler:
        """A form for those who hold a permission, which is also the `access` of its route; it needs a recent sign-in."""

        async def recently(page_request: PageRequest, person: SignedIn) -> Response:
            if not await self._sessions.is_privileged(person):
                return confirm_first(page)
            return await act(page_request, person)

        recently.__doc__ = act.__doc__
        return self.personal_form(self._permitted(recently, str(permission)), page=page)

    def console_page(self, show: PersonalAction) -> Handler:
        """A page of the console that shows what the reader's permissions open, so that it needs none itself."""
        return self.personal_page(self._permitted(show, ""))

    def console_form(self, act: PersonalAction, *, page: str) -> Handler:
        """A form of the console of which the parts that are called judge who may send it; it needs a recent sign-in."""
        return self.privileged_form(self._permitted(act, ""), page=page)

    def asking_form(self, act: PersonalAction, *, page: str) -> Handler:
        """A form of the console that changes nothing, for everyone who is signed in: it asks what would be."""
        return self.personal_form(self._permitted(act, ""), page=page)

    def _permitted(self, act: PersonalAction, access: str) -> PersonalAction:
        """The permission is looked at first; whatever is refused is said within the console."""

        async def checked(page_request: PageRequest, person: SignedIn) -> Response:
            try:
                await self._guard.require(person.actor, access, page_request.request)
                return await act(page_request, person)
            except Failure as failure:
                return self._refusal(page_request, person, failure)

        checked.__doc__ = act.__doc__
        return checked

    async def _begin(self, request: Request, *, sends_form: bool = False) -> PageRequest:
        form: Mapping[str, str] = {}
        if sends_form:
            check_sender(request, self._public_origin)
            form = request.form()
        signed_in = await self._authenticator.authenticate(request)
        return PageRequest(request, signed_in, csrf_secret(request, self._entropy), form)


def _adds_credentials(path: str) -> bool:
    """Whether a session that only serves to add a credential may use this page."""
    return path == HOME or path.startswith(_ADD_CREDENTIALS)


def sign_in_first(request: Request, page: str = "") -> Response:
    """To the sign-in page, and from there back: to the pending request of an application, or to a page of ours."""
    return_to = ReturnTo(handle=request.query().get("request", ""), page=page or requested_page(request))
    return redirect(return_to.path(SIGN_IN_PAGE), headers=LEADS_AWAY if return_to.handle else ())


def confirm_first(page: str) -> Response:
    """To the sign-in page, where the person who is signed in does so again, and from there to `page`."""
    return redirect(f"{SIGN_IN_PAGE}?{urlencode({'next': page, CONFIRM: ''})}")


def _without_notice(response: Response, request: Request) -> Response:
    """A notice is shown once."""
    if request.cookie(NOTICE_COOKIE) is None:
        return response
    return Response(response.status, response.body, (*response.headers, clear(NOTICE_COOKIE)))


def _with_cookies(response: Response, page_request: PageRequest) -> Response:
    cookies = page_request.csrf_secret.cookies()
    return Response(response.status, response.body, (*response.headers, *cookies)) if cookies else response
