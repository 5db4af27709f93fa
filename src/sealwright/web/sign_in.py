"""Sign in, second factor, sign out."""

from __future__ import annotations

import json
from contextlib import suppress

from sealwright.clock import Clock, between
from sealwright.errors import RateLimited
from sealwright.http import Response, redirect
from sealwright.identity import (
    LOGIN_PATH,
    SESSION_COOKIE,
    CodeRefused,
    CompletedSignIn,
    PasskeyRefused,
    Passkeys,
    SecondFactorRequired,
    SessionKind,
    SessionNotFound,
    Sessions,
    SignedIn,
    SignIn,
    SignInExpired,
    SignInRefused,
    UpstreamProviders,
)
from sealwright.oauth import (
    CONTINUE_PATH,
    SIGN_IN_PAGE,
    AuthorizationEndpoint,
    ClientImages,
    PendingRequest,
    SignInStep,
    StepResponse,
)
from sealwright.web.claims_preview import client_preview
from sealwright.web.cookies import PENDING_COOKIE, clear, set_device, set_pending, set_session
from sealwright.web.failures import waiting_headers
from sealwright.web.forms import FormError, fields_of, form_error, missing, unlike_any_code
from sealwright.web.logout import SignOut
from sealwright.web.models import ClientPreview
from sealwright.web.page_request import CONFIRM, PageRequest
from sealwright.web.pages import LEADS_AWAY, Pages
from sealwright.web.return_to import HOME, ReturnTo, read_return_to

CODE_PAGE = "/ui/sign-in/code"
CANCEL_PATH = "/ui/sign-in/cancel"
PASSKEY_PATH = "/ui/sign-in/passkey"


class SignInPages:
    """From a name and a password to a session cookie, and back."""

    def __init__(  # noqa: PLR0913 - one argument for each part of the server that these pages use
        self,
        pages: Pages,
        *,
        sign_in: SignIn,
        passkeys: Passkeys,
        upstream_providers: UpstreamProviders,
        sessions: Sessions,
        authorization: AuthorizationEndpoint,
        step_response: StepResponse,
        sign_out: SignOut,
        images: ClientImages,
        clock: Clock,
    ) -> None:
        self._pages = pages
        self._sign_in = sign_in
        self._passkeys = passkeys
        self._upstream_providers = upstream_providers
        self._sessions = sessions
        self._authorization = authorization
        self._step_response = step_response
        self._sign_out = sign_out
        self._images = images
        self._clock = clock

    # --- name and password ---

    async def show(self, page_request: PageRequest) -> Response:
        """The sign-in page, or straight on where nothing is left to do here.

        `other` in the query: someone is signed in, and it is someone else who wants to be. `confirm`: the person who is signed in
        has to sign in again, for a page that needs a recent sign-in.
        """
        return_to = self._return_to(page_request)
        if not return_to.handle:
            if page_request.signed_in and CONFIRM not in page_request.request.query():
                return redirect(return_to.page)
            return await self._form(page_request, return_to, username=confirmed_name(page_request, return_to))
        if "other" in page_request.request.query():
            return await self._form(page_request, return_to)
        step = await self._authorization.next_step(return_to.handle, page_request.unrestricted)
        if not isinstance(step, SignInStep):
            return self._step_response(step)
        present = page_request.signed_in.account.name if page_request.signed_in and step.again else ""
        return await self._form(page_request, return_to, username=step.login_hint or present, again=step.again)

    async def submit(self, page_request: PageRequest) -> Response:
        """Check name and password."""
        return_to = self._return_to(page_request)
        username, password = page_request.typed("username"), page_request.typed("password")
        errors = missing(
            page_request.form, {"username": "Type your user name or e-mail address.", "password": "Type your password."}
        )
        if errors:
            return await self._form(page_request, return_to, username=username, errors=errors, status=422)
        try:
            outcome = await self._sign_in.with_password(
                username,
                password,
                kind=SessionKind.BROWSER,
                address=page_request.address,
                user_agent=page_request.user_agent,
                held_token=page_request.request.cookie(SESSION_COOKIE) or "",
                device_token=page_request.device_token,
            )
        except SignInRefused as refusal:
            return await self._form(
                page_request, return_to, username=username, errors=(form_error(refusal, "password"),), status=403
            )
        except RateLimited as refusal:
            errors = (form_error(refusal),)
            return await self._form(page_request, return_to, username=username, errors=errors, status=429, failure=refusal)
        if isinstance(outcome, SecondFactorRequired):
            lasts = between(self._clock.now(), outcome.expires_at)
            return redirect(return_to.path(CODE_PAGE), headers=(set_pending(outcome.pending_token, lasts), *LEADS_AWAY))
        return await self._finish(page_request, return_to, outcome)

    async def submit_passkey(self, page_request: PageRequest) -> Response:
        """Check the response of a passkey."""
        return_to = self._return_to(page_request)
        try:
            completed = await self._passkeys.sign_in(
                page_request.typed("credential"),
                binding=page_request.csrf_secret.value,
                address=page_request.address,
                user_agent=page_request.user_agent,
                held_token=page_request.request.cookie(SESSION_COOKIE) or "",
                device_token=page_request.device_token,
            )
        except PasskeyRefused as refusal:
            return await self._form(page_request, return_to, errors=fields_of(refusal), status=403)
        return await self._finish(page_request, return_to, completed)

    async def cancel(self, page_request: PageRequest) -> Response:
        """Give up before signing in: the application gets access_denied."""
        return self._step_response(await self._authorization.deny(self._return_to(page_request).handle, page_request.signed_in))

    # --- second factor ---

    async def show_code(self, page_request: PageRequest) -> Response:
        """The page that asks for a code of the second factor."""
        return_to = self._return_to(page_request)
        if page_request.request.cookie(PENDING_COOKIE) is None:
            return redirect(return_to.path(SIGN_IN_PAGE))
        return await self._code_form(page_request, return_to)

    async def submit_code(self, page_request: PageRequest) -> Response:
        """Check the code of the second factor."""
        return_to = self._return_to(page_request)
        pending_token = page_request.request.cookie(PENDING_COOKIE) or ""
        errors = unlike_any_code(page_request.typed("code"))
        if errors:
            return await self._code_form(page_request, return_to, errors=errors, status=422)
        try:
            completed = await self._sign_in.with_totp(
                pending_token,
                page_request.typed("code"),
                address=page_request.address,
                user_agent=page_request.user_agent,
                held_token=page_request.request.cookie(SESSION_COOKIE) or "",
                device_token=page_request.device_token,
            )
        except CodeRefused as refusal:
            return await self._code_form(page_request, return_to, errors=(form_error(refusal, "code"),), status=403)
        except RateLimited as refusal:
            return await self._code_form(page_request, return_to, errors=(form_error(refusal),), status=429, failure=refusal)
        except SignInExpired as refusal:
            response = await self._form(page_request, return_to, errors=(form_error(refusal),), status=403)
            return Response(response.status, response.body, (*response.headers, clear(PENDING_COOKIE)))
        return await self._finish(page_request, return_to, completed)

    # --- sign out ---

    async def show_sign_out(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Ask before signing out: a link alone must not sign anyone out."""
        return self._pages.single("sign-out.html", person=person.account, csrf_token=page_request.csrf_token_of(person))

    async def sign_out(self, _page_request: PageRequest, person: SignedIn) -> Response:
        """Sign out: this session ends."""
        return await self._sign_out.end(person)

    # --- parts ---

    def _return_to(self, page_request: PageRequest) -> ReturnTo:
        return read_return_to(page_request.request)

    async def _finish(self, page_request: PageRequest, return_to: ReturnTo, completed: CompletedSignIn) -> Response:
        """The token is new in any case."""
        await end_session_of_someone_else(self._sessions, page_request, completed)
        headers = (set_session(completed.token), set_device(completed.device_token), clear(PENDING_COOKIE), *LEADS_AWAY)
        if completed.signed_in.session.restricted:  # first the credential that a policy asks for
            return redirect(HOME, headers=headers)
        return redirect(return_to.path(CONTINUE_PATH) if return_to.handle else return_to.page, headers=headers)

    async def _form(
        self,
        page_request: PageRequest,
        return_to: ReturnTo,
        *,
        username: str = "",
        again: bool = False,
        errors: tuple[FormError, ...] = (),
        status: int = 200,
        failure: RateLimited | None = None,
    ) -> Response:
        pending = await self._authorization.pending(return_to.handle) if return_to.handle else None
        confirming = page_request.signed_in.account if page_request.signed_in and not return_to.handle else None
        options = self._passkeys.request_options(page_request.csrf_secret.value) if self._passkeys.usable else None
        return self._pages.single(
            "sign-in.html",
            status=status,
            headers=waiting_headers(failure),
            leads_away=pending is not None,
            application=await self._preview(pending),
            again=again,
            present=page_request.signed_in.account if page_request.signed_in and not (again or confirming) else None,
            confirming=confirming,
            passkey_options=json.dumps(options) if options else "",
            passkey_first=await self._passkeys.are_suggested(page_request.device_token),
            providers=await self._choices(return_to) if not confirming else (),
            passkey_action=return_to.path(PASSKEY_PATH),
            username=username,
            errors=errors,
            action=return_to.path(SIGN_IN_PAGE),
            cancel=return_to.path(CANCEL_PATH),
            proceed=return_to.path(CONTINUE_PATH),
            csrf_token=page_request.anonymous_csrf_token,
        )

    async def _preview(self, pending: PendingRequest | None) -> ClientPreview | None:
        return None if pending is None else client_preview(pending, await self._images.digest_of(pending.client.name))

    async def _choices(self, return_to: ReturnTo) -> tuple[tuple[str, str], ...]:
        """Name and address of each identity provider that one can sign in with."""
        offered = await self._upstream_providers.offered()
        if return_to.handle:  # this page is where our own provider would lead, and the application waits for it already
            offered = [each for each in offered if not self._upstream_providers.is_here(each)]
        way = return_to.path(LOGIN_PATH)
        joint = "&" if "?" in way else "?"
        return tuple((each.name, f"{way}{joint}provider={each.id}") for each in offered)

    async def _code_form(
        self,
        page_request: PageRequest,
        return_to: ReturnTo,
        *,
        errors: tuple[FormError, ...] = (),
        status: int = 200,
        failure: RateLimited | None = None,
    ) -> Response:
        pending = await self._authorization.pending(return_to.handle) if return_to.handle else None
        return self._pages.single(
            "code.html",
            status=status,
            headers=waiting_headers(failure),
            leads_away=pending is not None,
            application=await self._preview(pending),
            errors=errors,
            action=return_to.path(CODE_PAGE),
            start_over=return_to.path(SIGN_IN_PAGE),
            csrf_token=page_request.anonymous_csrf_token,
        )


async def end_session_of_someone_else(sessions: Sessions, page_request: PageRequest, completed: CompletedSignIn) -> None:
    """End the session that this browser held before, where it is another person's; one's own goes on."""
    if page_request.signed_in is not None and page_request.signed_in.account.id != completed.signed_in.account.id:
        with suppress(SessionNotFound):
            reason = "someone else signed in in the same browser"
            await sessions.end(page_request.signed_in.session.id, reason, actor=page_request.signed_in.actor)


def confirmed_name(page_request: PageRequest, return_to: ReturnTo) -> str:
    """The name of the person who has to sign in again for a page of ours; empty if no one is signed in."""
    return page_request.signed_in.account.name if page_request.signed_in and not return_to.handle else ""
