"""By which credentials people authenticate their requests: browsers by a cookie, terminals by a bearer token.

One list for each way in. An API key or an access token becomes one more entry of `api_authenticator`.
"""

from __future__ import annotations

from functools import partial
from typing import Protocol

from sealwright.http.authenticate import BearerToken, CookieValue, RequestAuthenticator
from sealwright.identity.models import SessionKind, SignedIn

SESSION_COOKIE = "__Host-sealwright_session"


class SessionResolver(Protocol):
    """Finds who is behind the token of a session; `Sessions` does."""

    async def resolve(self, session_token: str, address: str, *, kind: SessionKind) -> SignedIn | None:
        """Who holds the token, where the session is of this kind and good."""
        ...


def browser_authenticator(sessions: SessionResolver) -> RequestAuthenticator[SignedIn]:
    """For pages and for the authorization endpoint. The token of a terminal is no cookie, because it has no idle limit."""
    return RequestAuthenticator(CookieValue(SESSION_COOKIE, partial(sessions.resolve, kind=SessionKind.BROWSER)))


def api_authenticator(sessions: SessionResolver) -> RequestAuthenticator[SignedIn]:
    """For the management API. A browser's cookie is not accepted there, so that no page of another site can use it."""
    return RequestAuthenticator(BearerToken(partial(sessions.resolve, kind=SessionKind.TERMINAL)))
