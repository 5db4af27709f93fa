"""Sign in, second factor, sign out."""

from __future__ import annotations

from contextlib import suppress

from sealwright.clock import Clock, between
from sealwright.errors import RateLimited
from sealwright.http import Response, redirect
from sealwright.identity import (
    CodeRefused,
    CompletedSignIn,
    SecondFactorRequired,
    SessionKind,
    SessionNotFound,
    Sessions,
    SignedIn,
    SignIn,
    SignInExpired,
    SignInRefused,
)
from sealwright.oauth import CONTINUE_PATH, SESSION_COOKIE, SIGN_IN_PAGE, Authorization, SignInNeeded, answer_step
from sealwright.web.cookies import PENDING_COOKIE, clear, set_device, set_pending, set_session
from sealwright.web.failures import waiting_headers
from sealwright.web.forms import Problem, missing, problem_of, unlike_a_code
from sealwright.web.onward import Onward, read_onward
from sealwright.web.pages import LEADS_AWAY, Pages
from sealwright.web.visits import Visit
from sealwright.web.wishes import application_of

CODE_PAGE = "/ui/sign-in/code"
CANCEL_PATH = "/ui/sign-in/cancel"
SIGNED_OUT_PAGE = "/ui/signed-out"


class SignInPages:
    """From a name and a password to a session cookie, and back."""

    def __init__(
        self,
        pages: Pages,
        *,
        sign_in: SignIn,
        sessions: Sessions,
        authorization: Authorization,
        clock: Clock,
    ) -> None:
        self._pages = pages
        self._sign_in = sign_in
        self._sessions = sessions
        self._authorization = authorization
        self._clock = clock

    # --- name and password ---

    async def show(self, visit: Visit) -> Response:
        """The sign-in page, or straight on where nothing is left to do here.

        `other` in the query: somebody is signed in, and it is somebody else who wants to be.
        """
        onward = self._onward(visit)
        if not onward.handle:
            return redirect(onward.place) if visit.visitor else await self._form(visit, onward)
        if "other" in visit.request.query():
            return await self._form(visit, onward)
        step = await self._authorization.next_step(onward.handle, visit.visitor)
        if not isinstance(step, SignInNeeded):
            return answer_step(step)
        present = visit.visitor.account.name if visit.visitor and step.again else ""
        return await self._form(visit, onward, username=step.login_hint or present, again=step.again)

    async def submit(self, visit: Visit) -> Response:
        """Check name and password."""
        onward = self._onward(visit)
        username, password = visit.typed("username"), visit.typed("password")
        problems = missing(visit.form, {"username": "Type your user name or e-mail address.", "password": "Type your password."})
        if problems:
            return await self._form(visit, onward, username=username, problems=problems, status=422)
        try:
            outcome = await self._sign_in.with_password(
                username,
                password,
                kind=SessionKind.BROWSER,
                address=visit.address,
                user_agent=visit.user_agent,
                held_token=visit.request.cookie(SESSION_COOKIE) or "",
                device_token=visit.device_token,
            )
        except SignInRefused as refusal:
            return await self._form(visit, onward, username=username, problems=(problem_of(refusal, "password"),), status=403)
        except RateLimited as refusal:
            problems = (problem_of(refusal),)
            return await self._form(visit, onward, username=username, problems=problems, status=429, failure=refusal)
        if isinstance(outcome, SecondFactorRequired):
            lasts = between(self._clock.now(), outcome.expires_at)
            return redirect(onward.path(CODE_PAGE), headers=(set_pending(outcome.pending_token, lasts), *LEADS_AWAY))
        return await self._finish(visit, onward, outcome)

    async def cancel(self, visit: Visit) -> Response:
        """Give up before signing in: the application is told."""
        return answer_step(await self._authorization.deny(self._onward(visit).handle, visit.visitor))

    # --- second factor ---

    async def show_code(self, visit: Visit) -> Response:
        """The page that asks for a code of the second factor."""
        onward = self._onward(visit)
        if visit.request.cookie(PENDING_COOKIE) is None:
            return redirect(onward.path(SIGN_IN_PAGE))
        return await self._code_form(visit, onward)

    async def submit_code(self, visit: Visit) -> Response:
        """Check the code of the second factor."""
        onward = self._onward(visit)
        pending_token = visit.request.cookie(PENDING_COOKIE) or ""
        problems = unlike_a_code(visit.typed("code"))
        if problems:
            return await self._code_form(visit, onward, problems=problems, status=422)
        try:
            completed = await self._sign_in.with_totp(
                pending_token,
                visit.typed("code"),
                address=visit.address,
                user_agent=visit.user_agent,
                held_token=visit.request.cookie(SESSION_COOKIE) or "",
                device_token=visit.device_token,
            )
        except CodeRefused as refusal:
            return await self._code_form(visit, onward, problems=(problem_of(refusal, "code"),), status=403)
        except RateLimited as refusal:
            return await self._code_form(visit, onward, problems=(problem_of(refusal),), status=429, failure=refusal)
        except SignInExpired as refusal:
            answer = await self._form(visit, onward, problems=(problem_of(refusal),), status=403)
            return Response(answer.status, answer.body, (*answer.headers, clear(PENDING_COOKIE)))
        return await self._finish(visit, onward, completed)

    # --- sign out ---

    async def show_sign_out(self, visit: Visit, person: SignedIn) -> Response:
        """Ask before signing out: a link alone must not sign anyone out."""
        return self._pages.single("sign-out.html", person=person.account, form_token=visit.token_of(person))

    async def sign_out(self, _visit: Visit, person: SignedIn) -> Response:
        """Sign out: this session ends."""
        with suppress(SessionNotFound):  # ended from elsewhere in this very moment
            await self._sessions.end(person.session.id, "signed out", actor=person.actor)
        return redirect(SIGNED_OUT_PAGE, headers=(clear(SESSION_COOKIE),))

    async def show_signed_out(self, _visit: Visit) -> Response:
        """The page that says that one is signed out."""
        return self._pages.single("signed-out.html")

    # --- parts ---

    def _onward(self, visit: Visit) -> Onward:
        return read_onward(visit.request)

    async def _finish(self, visit: Visit, onward: Onward, completed: CompletedSignIn) -> Response:
        """The token is new in any case. The session of somebody else that this browser held before ends; one's own goes on."""
        if visit.visitor is not None and visit.visitor.account.id != completed.signed_in.account.id:
            with suppress(SessionNotFound):
                reason = "somebody else signed in in the same browser"
                await self._sessions.end(visit.visitor.session.id, reason, actor=visit.visitor.actor)
        headers = (set_session(completed.token), set_device(completed.device_token), clear(PENDING_COOKIE), *LEADS_AWAY)
        return redirect(onward.path(CONTINUE_PATH) if onward.handle else onward.place, headers=headers)

    async def _form(
        self,
        visit: Visit,
        onward: Onward,
        *,
        username: str = "",
        again: bool = False,
        problems: tuple[Problem, ...] = (),
        status: int = 200,
        failure: RateLimited | None = None,
    ) -> Response:
        pending = await self._authorization.pending(onward.handle) if onward.handle else None
        return self._pages.single(
            "sign-in.html",
            status=status,
            headers=waiting_headers(failure),
            leads_away=pending is not None,
            application=application_of(pending) if pending else None,
            again=again,
            present=visit.visitor.account if visit.visitor and not again else None,
            username=username,
            problems=problems,
            action=onward.path(SIGN_IN_PAGE),
            cancel=onward.path(CANCEL_PATH),
            proceed=onward.path(CONTINUE_PATH),
            form_token=visit.open_token,
        )

    async def _code_form(
        self,
        visit: Visit,
        onward: Onward,
        *,
        problems: tuple[Problem, ...] = (),
        status: int = 200,
        failure: RateLimited | None = None,
    ) -> Response:
        pending = await self._authorization.pending(onward.handle) if onward.handle else None
        return self._pages.single(
            "code.html",
            status=status,
            headers=waiting_headers(failure),
            leads_away=pending is not None,
            application=application_of(pending) if pending else None,
            problems=problems,
            action=onward.path(CODE_PAGE),
            start_over=onward.path(SIGN_IN_PAGE),
            form_token=visit.open_token,
        )
