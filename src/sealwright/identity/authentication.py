"""By which credentials people authenticate their requests: browsers by a cookie, terminals by a bearer token.

One list for each way in. API tokens of service accounts and API keys of people differ from the tokens of terminals by how
they begin.
"""

from __future__ import annotations

from functools import partial
from typing import Protocol

from sealwright.http.authenticate import BearerToken, CookieValue, RequestAuthenticator
from sealwright.identity.api_keys.secret import API_KEY_PREFIX
from sealwright.identity.api_tokens.api_tokens import API_TOKEN_PREFIX
from sealwright.identity.models import SessionKind, SignedIn

SESSION_COOKIE = "__Host-sealwright_session"


class SessionResolver(Protocol):
    """Finds who is behind the token of a session; `Sessions` does."""

    async def resolve(
        self, session_token: str, address: str, *, kind: SessionKind, even_restricted: bool = False
    ) -> SignedIn | None:
        """Who holds the token, where the session is of this kind and good, and restricted only where that is asked for."""
        ...


def browser_authenticator(sessions: SessionResolver, *, even_restricted: bool = False) -> RequestAuthenticator[SignedIn]:
    """For pages and for the authorization endpoint. The token of a terminal is not a cookie, because it has no idle limit.

    `even_restricted`: also sessions that only serve to add the credential that a policy asks for.
    """
    lookup = partial(sessions.resolve, kind=SessionKind.BROWSER, even_restricted=even_restricted)
    return RequestAuthenticator(CookieValue(SESSION_COOKIE, lookup))


def terminal_authenticator(sessions: SessionResolver) -> RequestAuthenticator[SignedIn]:
    """For what only people do at a terminal, such as to decide about an application."""
    return RequestAuthenticator(BearerToken(partial(sessions.resolve, kind=SessionKind.TERMINAL)))


class ApiTokenResolver(Protocol):
    """Finds who holds an API token; `ApiTokens` does."""

    async def resolve(self, api_token: str, address: str) -> SignedIn | None:
        """Who holds the token, where it and its account are good."""
        ...


class ApiKeyResolver(Protocol):
    """Finds who holds an API key; `ApiKeys` does."""

    async def resolve(self, api_key: str, address: str) -> SignedIn | None:
        """Who holds the key, where it and its owner are good."""
        ...


def api_authenticator(
    sessions: SessionResolver, api_tokens: ApiTokenResolver, api_keys: ApiKeyResolver
) -> RequestAuthenticator[SignedIn]:
    """For the management API. A browser's cookie is not accepted there, so that no page of another site can use it."""

    async def holder(credential: str, address: str, /) -> SignedIn | None:
        if credential.startswith(API_TOKEN_PREFIX):
            return await api_tokens.resolve(credential, address)
        if credential.startswith(API_KEY_PREFIX):
            return await api_keys.resolve(credential, address)
        return await sessions.resolve(credential, address, kind=SessionKind.TERMINAL)

    return RequestAuthenticator(BearerToken(holder))
