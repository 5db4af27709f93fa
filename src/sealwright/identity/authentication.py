"""By which credentials people authenticate their requests: browsers by a cookie, terminals by a bearer token.

One list for each way in. API tokens of service accounts and API keys of people differ from the tokens of terminals by how
they begin.
"""

from __future__ import annotations

from functools import partial
from typing import Protocol

from sealwright.http import Request
from sealwright.http.authenticate import BearerToken, CookieValue, RequestAuthenticator, RequestCredential
from sealwright.identity.api_keys.api_keys import ApiKeys
from sealwright.identity.api_keys.secret import API_KEY_PREFIX
from sealwright.identity.api_tokens.api_tokens import API_TOKEN_PREFIX
from sealwright.identity.models import SessionEnd, SessionKind, SignedIn
from sealwright.identity.sessions import Sessions

SESSION_COOKIE = "__Host-sealwright_session"
CSRF_COOKIE = "__Host-sealwright_csrf"
"""The secret from which this browser's CSRF tokens are derived. Lax, or arriving from another site would draw a new one."""


class SessionResolver(Protocol):
    """Finds who is behind the token of a session; `Sessions` does."""

    async def resolve(
        self, session_token: str, address: str, *, kind: SessionKind, even_restricted: bool = False, touch: bool = True
    ) -> SignedIn | None:
        """Who holds the token, where the session is of this kind and valid, and restricted only where that is asked for."""
        ...


def browser_authenticator(sessions: SessionResolver, *, even_restricted: bool = False) -> RequestAuthenticator[SignedIn]:
    """For pages and for the authorization endpoint. The token of a terminal is not a cookie, because it has no idle limit.

    `even_restricted`: also sessions that only serve to add the credential that a policy asks for.
    """
    return RequestAuthenticator(_SessionCookie(sessions, even_restricted=even_restricted))


def asks_by_itself(request: Request) -> bool:
    """Whether a page that follows the record asks, in front of which no one need be."""
    return request.path.endswith("/audit/follow") or "follow=again" in request.query_text.split("&")


class _SessionCookie(CookieValue[SignedIn]):
    """The cookie of a browser's session. What a page asks by itself does not keep the session from ending of idleness."""

    def __init__(self, sessions: SessionResolver, *, even_restricted: bool = False) -> None:
        lookup = partial(sessions.resolve, kind=SessionKind.BROWSER, even_restricted=even_restricted)
        super().__init__(SESSION_COOKIE, lookup)
        self._quietly = partial(lookup, touch=False)

    async def holder(self, credential: str, request: Request) -> SignedIn | None:
        """Whose cookie it is."""
        if asks_by_itself(request):
            return await self._quietly(credential, request.peer.address)
        return await super().holder(credential, request)


def terminal_authenticator(sessions: SessionResolver) -> RequestAuthenticator[SignedIn]:
    """For what only people do at a terminal, such as to decide about an application."""
    return RequestAuthenticator(BearerToken(partial(sessions.resolve, kind=SessionKind.TERMINAL)))


class ApiTokenResolver(Protocol):
    """Finds who holds an API token; `ApiTokens` does."""

    async def resolve(self, api_token: str, address: str) -> SignedIn | None:
        """Who holds the token, where it and its account are valid."""
        ...


class ApiAuthenticator:
    """For the management API: a bearer token of three kinds, or the cookie of a browser.

    Anyone who takes a request with a cookie checks that a page of this server sent it.
    """

    def __init__(
        self, sessions: Sessions, api_tokens: ApiTokenResolver, api_keys: ApiKeys, *others: RequestCredential[SignedIn]
    ) -> None:
        """`others`: kinds of credentials that are not of this package; each is asked first whether it is one of its own."""
        self._sessions = sessions
        self._api_tokens = api_tokens
        self._api_keys = api_keys
        self._authenticator = RequestAuthenticator(*others, BearerToken(self._holder), _SessionCookie(sessions))

    def presents(self, request: Request) -> bool:
        """Whether the request has a credential of an accepted kind, valid or not."""
        return self._authenticator.presents(request)

    async def authenticate(self, request: Request) -> SignedIn | None:
        """The holder of the credential in the request; None without one, and where it is not valid."""
        return await self._authenticator.authenticate(request)

    async def why_refused(self, request: Request) -> SessionEnd:
        """Why the credential in the request is not valid."""
        shown = request.bearer()
        if shown is None:
            return await self._sessions.why_refused(request.cookie(SESSION_COOKIE) or "", kind=SessionKind.BROWSER)
        if shown.startswith(API_KEY_PREFIX):
            return await self._api_keys.why_refused(shown)
        return await self._sessions.why_refused(shown, kind=SessionKind.TERMINAL)

    async def _holder(self, credential: str, address: str, /) -> SignedIn | None:
        if credential.startswith(API_TOKEN_PREFIX):
            return await self._api_tokens.resolve(credential, address)
        if credential.startswith(API_KEY_PREFIX):
            return await self._api_keys.resolve(credential, address)
        return await self._sessions.resolve(credential, address, kind=SessionKind.TERMINAL)
