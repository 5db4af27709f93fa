"""The phases that every page and form shares: who is behind the request, and whether the form is one of ours.

A page or form cannot forget them, because it is only ever called from here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from msgspec import Struct

from sealwright.entropy import Entropy
from sealwright.http import Handler, Request, Response, redirect
from sealwright.identity import SessionKind, Sessions, SignedIn
from sealwright.oauth import SESSION_COOKIE, SIGN_IN_PAGE
from sealwright.web.cookies import DEVICE_COOKIE, NOTICE_COOKIE, clear
from sealwright.web.forms import MARK_FIELD, FormSecret, check_mark, check_sender, form_secret
from sealwright.web.onward import Onward, asked_for
from sealwright.web.pages import LEADS_AWAY


class Visit(Struct, frozen=True):
    """One request of a browser."""

    request: Request
    visitor: SignedIn | None
    form_secret: FormSecret
    form: Mapping[str, str]
    """Fields of a form that passed the checks; empty where nothing was sent."""

    @property
    def open_token(self) -> str:
        """Mark for forms of people who are not signed in yet."""
        return self.form_secret.mark("")

    def token_of(self, person: SignedIn) -> str:
        """Mark for forms of this person's session."""
        return self.form_secret.mark(person.session.id)

    def typed(self, name: str) -> str:
        """One field of the form; empty where it is missing."""
        return self.form.get(name, "")

    @property
    def address(self) -> str:
        """Of the peer."""
        return self.request.peer.address

    @property
    def device_token(self) -> str:
        """What the browser was given when somebody signed in from it before; empty where it was not."""
        return self.request.cookie(DEVICE_COOKIE) or ""

    @property
    def user_agent(self) -> str:
        """What the browser calls itself."""
        return self.request.headers.get("user-agent", "")


OpenAction = Callable[[Visit], Awaitable[Response]]
PersonalAction = Callable[[Visit, SignedIn], Awaitable[Response]]


class Visits:
    """Makes handlers of pages and forms."""

    def __init__(self, sessions: Sessions, entropy: Entropy, public_origin: str) -> None:
        self._sessions = sessions
        self._entropy = entropy
        self._public_origin = public_origin

    def open_page(self, show: OpenAction) -> Handler:
        """A page that anybody may see."""

        async def handler(request: Request) -> Response:
            visit = await self._begin(request)
            return _with_cookies(await show(visit), visit)

        handler.__doc__ = show.__doc__
        return handler

    def open_form(self, act: OpenAction) -> Handler:
        """A form of a page that anybody may see. Its mark knows of no session, so a sign-in in another tab does not spoil it."""

        async def handler(request: Request) -> Response:
            visit = await self._begin(request, sends_form=True)
            check_mark(visit.typed(MARK_FIELD), visit.form_secret, "")
            return await act(visit)

        handler.__doc__ = act.__doc__
        return handler

    def personal_page(self, show: PersonalAction) -> Handler:
        """A page for somebody who is signed in; others are sent to sign in and come back."""

        async def handler(request: Request) -> Response:
            visit = await self._begin(request)
            if visit.visitor is None:
                return sign_in_first(request)
            return _without_notice(_with_cookies(await show(visit, visit.visitor), visit), request)

        handler.__doc__ = show.__doc__
        return handler

    def personal_form(self, act: PersonalAction, *, page: str) -> Handler:
        """A form of somebody who is signed in. Without a session nothing is done, and `page` is where to start again."""

        async def handler(request: Request) -> Response:
            visit = await self._begin(request, sends_form=True)
            if visit.visitor is None:
                return sign_in_first(request, page)
            check_mark(visit.typed(MARK_FIELD), visit.form_secret, visit.visitor.session.id)
            return await act(visit, visit.visitor)

        handler.__doc__ = act.__doc__
        return handler

    async def _begin(self, request: Request, *, sends_form: bool = False) -> Visit:
        form: Mapping[str, str] = {}
        if sends_form:
            check_sender(request, self._public_origin)
            form = request.form()
        session_token = request.cookie(SESSION_COOKIE)
        visitor = None
        if session_token:
            visitor = await self._sessions.resolve(session_token, request.peer.address, kind=SessionKind.BROWSER)
        return Visit(request, visitor, form_secret(request, self._entropy), form)


def sign_in_first(request: Request, page: str = "") -> Response:
    """To the sign-in page, and from there back: to the pending request of an application, or to a page of ours."""
    onward = Onward(handle=request.query().get("request", ""), place=page or asked_for(request))
    return redirect(onward.path(SIGN_IN_PAGE), headers=LEADS_AWAY if onward.handle else ())


def _without_notice(answer: Response, request: Request) -> Response:
    """A notice is said once."""
    if request.cookie(NOTICE_COOKIE) is None:
        return answer
    return Response(answer.status, answer.body, (*answer.headers, clear(NOTICE_COOKIE)))


def _with_cookies(answer: Response, visit: Visit) -> Response:
    cookies = visit.form_secret.cookies()
    return Response(answer.status, answer.body, (*answer.headers, *cookies)) if cookies else answer
