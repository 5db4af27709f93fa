"""Sign-out that an application asked for, and the page after every sign-out."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

from sealwright.http import Response, redirect
from sealwright.identity import SESSION_COOKIE, SessionNotFound, Sessions, SignedIn
from sealwright.oauth import LOGOUT_PAGE, BackchannelLogout, LogoutEndpoint, PendingLogout, SignedOut
from sealwright.web.cookies import clear
from sealwright.web.formatting import origin_text
from sealwright.web.page_request import PageRequest
from sealwright.web.pages import Pages

SIGNED_OUT_PAGE = "/ui/signed-out"
_TOLD_WITHIN = timedelta(seconds=2)
"""How long a sign-out waits for applications to be notified."""


class SignOut:
    """Ends the session of this browser, and tells the applications that were used in it."""

    def __init__(self, sessions: Sessions, logout: LogoutEndpoint, backchannel: BackchannelLogout) -> None:
        self._sessions = sessions
        self._logout = logout
        self._backchannel = backchannel

    async def end(self, signed_in: SignedIn | None, pending: PendingLogout | None = None) -> Response:
        """To the page that says so, or straight back to the application where the browser has no frames to load first."""
        session_id = "" if signed_in is None else signed_in.session.id
        if signed_in is not None:
            with suppress(SessionNotFound):  # ended from elsewhere in this very moment
                await self._sessions.end(session_id, "signed out", actor=signed_in.actor)
            await self._backchannel.deliver_session(session_id, _TOLD_WITHIN)
        handle = self._logout.after(session_id, pending)
        after = await self._logout.signed_out(handle)
        location = f"{SIGNED_OUT_PAGE}?after={handle}" if after.frames else after.location or SIGNED_OUT_PAGE
        return redirect(location, headers=(clear(SESSION_COOKIE),))


class LogoutPages:
    """Where an application sends the browser to sign out."""

    def __init__(self, pages: Pages, logout: LogoutEndpoint, sign_out: SignOut) -> None:
        self._pages = pages
        self._logout = logout
        self._sign_out = sign_out

    async def show(self, page_request: PageRequest) -> Response:
        """Ask before signing out, unless the application has shown an ID token of this very session."""
        pending = await self._logout.pending(_handle(page_request))
        signed_in = page_request.signed_in
        if signed_in is None or self._logout.is_proven(pending, signed_in.session.id):
            return await self._sign_out.end(signed_in, pending)
        return self._pages.single(
            "logout.html",
            leads_away=True,
            person=signed_in.account,
            client_name="" if pending.client is None else pending.client.display_name,
            action=f"{LOGOUT_PAGE}?request={_handle(page_request)}",
            csrf_token=page_request.anonymous_csrf_token,
        )

    async def decide(self, page_request: PageRequest) -> Response:
        """Sign out: the session of this browser ends."""
        pending = await self._logout.pending(_handle(page_request))
        return await self._sign_out.end(page_request.signed_in, pending)

    async def show_signed_out(self, page_request: PageRequest) -> Response:
        """The page that says that one is signed out, and has the browser tell applications that asked for it."""
        handle = page_request.request.query().get("after", "")
        after = await self._logout.signed_out(handle) if handle else SignedOut()
        return self._pages.single(
            "signed-out.html",
            frames_from=tuple(dict.fromkeys(origin_text(url) for url in after.frames)),
            signed_in=page_request.signed_in is not None,
            after=after,
        )


def _handle(page_request: PageRequest) -> str:
    return page_request.request.query().get("request", "")
