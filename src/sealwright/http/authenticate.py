"""What authenticates a request: where each kind of credential stands in it, and who knows whose it is.

Knows no domain: anyone who owns a kind of credential hands in how its holder is looked up. A new kind is a `RequestCredential`
here, or another lookup for one that is here, and one more entry where a `RequestAuthenticator` is made.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Generic, Protocol, TypeVar

from sealwright.http.messages import Request

Holder = TypeVar("Holder")
Found_co = TypeVar("Found_co", covariant=True)


class HolderLookup(Protocol[Found_co]):
    """Whose a credential is; None where it is no one's, or no longer valid. `address`: of the peer."""

    def __call__(self, credential: str, address: str, /) -> Awaitable[Found_co | None]: ...


class RequestCredential(Protocol[Found_co]):
    """One kind of credential."""

    def presented(self, request: Request) -> str | None:
        """The credential in the request; None where it has none of this kind."""
        ...

    async def holder(self, credential: str, request: Request) -> Found_co | None:
        """Whose it is; None where it is not valid."""
        ...


class BearerToken(Generic[Holder]):
    """A token in the Authorization header (RFC 6750, section 2.1)."""

    def __init__(self, lookup: HolderLookup[Holder]) -> None:
        self._lookup = lookup

    def presented(self, request: Request) -> str | None:
        """The token; None where there is no such header, or it names another scheme."""
        return request.bearer()

    async def holder(self, credential: str, request: Request) -> Holder | None:
        """Whose token it is."""
        return await self._lookup(credential, request.peer.address)


class CookieValue(Generic[Holder]):
    """A cookie that a browser sends along. Anyone who accepts one protects its forms by a CSRF token."""

    def __init__(self, name: str, lookup: HolderLookup[Holder]) -> None:
        self._name = name
        self._lookup = lookup

    def presented(self, request: Request) -> str | None:
        """The value; None where the cookie is missing, empty, or there twice."""
        return request.cookie(self._name) or None

    async def holder(self, credential: str, request: Request) -> Holder | None:
        """Whose cookie it is."""
        return await self._lookup(credential, request.peer.address)


class RequestAuthenticator(Generic[Holder]):
    """The kinds of credentials that one part of the server accepts, in their order."""

    def __init__(self, *credentials: RequestCredential[Holder]) -> None:
        self._credentials = credentials

    def presents(self, request: Request) -> bool:
        """Whether the request has a credential of an accepted kind, good or not."""
        return any(each.presented(request) is not None for each in self._credentials)

    async def authenticate(self, request: Request) -> Holder | None:
        """The holder of the first credential in the request; None without one, and where it is not valid.

        A credential that is not valid is final: another one beside it is not asked, so that no one can probe with two.
        """
        for each in self._credentials:
            credential = each.presented(request)
            if credential is not None:
                return await each.holder(credential, request)
        return None
