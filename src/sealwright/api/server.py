"""Public facts about this server."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from msgspec import Struct

from sealwright import __version__
from sealwright.api.json_types import ResponseBody
from sealwright.api.openapi import document
from sealwright.api.operations import Call, Operation
from sealwright.ca import Issuers, certificates_pem
from sealwright.http import Response


class ListenerUrls(ResponseBody, frozen=True, kw_only=True):
    """Origins of the listeners."""

    people: str
    machines: str
    status: str


class ServerView(ResponseBody, frozen=True, kw_only=True):
    """What a client needs to know of a server before it signs in."""

    name: str
    version: str
    urls: ListenerUrls
    roots: tuple[str, ...]
    """Root certificates of the certificate authority, PEM."""


class ServerFacts(Struct, frozen=True):
    """Name and addresses of this server."""

    name: str
    people_url: str
    machines_url: str
    status_url: str


class ServerOperations:
    """Operations that need no authentication."""

    def __init__(self, facts: ServerFacts, issuers: Issuers) -> None:
        self._facts = facts
        self._issuers = issuers

    def operations(self, others: Sequence[Operation]) -> list[Operation]:
        """All of them; `others` are described beside them."""
        public = "public: a client needs it before sign-in"
        version = Operation(
            "version", "GET", "/version", "Version, addresses and roots.", public, self._version, returns=ServerView
        )

        @cache  # made when it is first asked for: few clients ask, and every start would wait for it
        def described() -> bytes:
            return document([*others, version, description])

        async def openapi(_: Call) -> Response:
            return Response(200, described(), (("content-type", "application/vnd.oai.openapi+json;version=3.1"),))

        description = Operation("openapi", "GET", "/openapi.json", "This description.", public, openapi, returns=dict)
        return [version, description]

    async def _version(self, _: Call) -> ServerView:
        facts = self._facts
        urls = ListenerUrls(people=facts.people_url, machines=facts.machines_url, status=facts.status_url)
        roots = tuple(certificates_pem((root.certificate_der,)) for root in await self._issuers.roots())
        return ServerView(name=facts.name, version=__version__, urls=urls, roots=roots)
