"""The style sheet, the script and the icon, each under a name that holds a hash of its content.

A changed file has a changed name, so browsers may keep what they have for ever.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from msgspec import Struct

from sealwright.errors import NotFound
from sealwright.http import Request, Response

_MEDIA_TYPES = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
_FOREVER = "public, max-age=31536000, immutable"
_A_DAY = "public, max-age=86400"


class Asset(Struct, frozen=True):
    """One static file."""

    path: str
    """Where it is served, such as ``/static/style-0f3a….css``."""
    media_type: str
    body: bytes


class Assets:
    """All static files, by their plain name (``style.css``)."""

    def __init__(self, by_name: Mapping[str, Asset]) -> None:
        self._by_name = MappingProxyType(dict(by_name))
        self._by_path = {asset.path: asset for asset in by_name.values()}

    def file(self, name: str) -> Asset:
        """The file with this plain name."""
        return self._by_name[name]

    def path(self, name: str) -> str:
        """Where the file with this plain name is served."""
        return self._by_name[name].path

    async def serve(self, request: Request) -> Response:
        """The style sheet, script or picture under a name that holds its digest."""
        asset = self._by_path.get(request.path)
        if asset is None:
            raise NotFound(f"There is no file {request.path}.", hint="Reload the page that led here.")
        return _response(asset, _FOREVER)

    async def serve_favicon(self, _request: Request) -> Response:
        """The icon, for browsers that ask for it before they have seen a page."""
        return _response(self._by_name["icon.svg"], _A_DAY)


@cache
def load_assets() -> Assets:
    """Every file in ``static/``, read once."""
    found: dict[str, Asset] = {}
    for file in files("sealwright.web").joinpath("static").iterdir():
        stem, _, suffix = file.name.rpartition(".")
        body = file.read_bytes()
        path = f"/static/{stem}-{hashlib.sha256(body).hexdigest()[:16]}.{suffix}"
        found[file.name] = Asset(path, _MEDIA_TYPES[suffix], body)
    return Assets(found)


def _response(asset: Asset, cache_control: str) -> Response:
    headers = (
        ("content-type", asset.media_type),
        ("cache-control", cache_control),
        ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
        ("cross-origin-resource-policy", "same-origin"),
        ("x-content-type-options", "nosniff"),
    )
    return Response(200, asset.body, headers)
