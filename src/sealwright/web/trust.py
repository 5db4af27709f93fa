"""How browsers, systems and commands come to trust this server: the root certificate and what to do with it."""

from __future__ import annotations

from sealwright.ca import IssuerRecord, Issuers, certificates_pem
from sealwright.errors import NotFound
from sealwright.http import Response
from sealwright.web.page_request import PageRequest
from sealwright.web.pages import Pages

TRUST_PAGE = "/trust"


class TrustPages:
    """For anyone, signed in or not: a certificate of a root is public."""

    def __init__(self, pages: Pages, issuers: Issuers, *, people_url: str, machines_url: str) -> None:
        self._pages = pages
        self._issuers = issuers
        self._people_url = people_url
        self._machines_url = machines_url

    async def show(self, _page_request: PageRequest) -> Response:
        """The root's fingerprint, its file, and the steps for each system."""
        root = await self._root()
        return self._pages.single(
            "trust.html",
            name=root.name,
            fingerprint=root.fingerprint,
            in_pairs=":".join(root.fingerprint[start : start + 2].upper() for start in range(0, len(root.fingerprint), 2)),
            until=root.not_after,
            people_url=self._people_url,
            machines_url=self._machines_url,
        )

    async def download_pem(self, _page_request: PageRequest) -> Response:
        """The root certificate in PEM, as most programs take it."""
        body = certificates_pem((((await self._root()).certificate_der),)).encode()
        return _file(body, "application/x-pem-file", "root_ca.crt")

    async def download_der(self, _page_request: PageRequest) -> Response:
        """The root certificate in DER, which browsers on phones and Windows offer to install."""
        return _file((await self._root()).certificate_der, "application/x-x509-ca-cert", "root_ca.cer")

    async def _root(self) -> IssuerRecord:
        roots = await self._issuers.roots()
        if not roots:
            raise NotFound("This server has no root certificate.")
        return roots[0]


def _file(body: bytes, media_type: str, name: str) -> Response:
    headers = (
        ("content-type", media_type),
        ("content-disposition", f'attachment; filename="{name}"'),
        ("x-content-type-options", "nosniff"),
        ("cache-control", "no-cache"),
    )
    return Response(200, body, headers)
