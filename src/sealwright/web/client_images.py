"""The images of applications, each at an address that holds a hash of its content."""

from __future__ import annotations

from sealwright.errors import NotFound
from sealwright.http import Response
from sealwright.identity import SignedIn
from sealwright.oauth import ClientImages
from sealwright.web.page_request import PageRequest

IMAGE_PATH = "/ui/account/applications/images"


class ClientImagePages:
    """Serves them to people who are signed in."""

    def __init__(self, images: ClientImages) -> None:
        self._images = images

    async def show(self, page_request: PageRequest, _person: SignedIn) -> Response:
        """The image of an application."""
        found = await self._images.with_digest(page_request.request.path_parameters["digest"])
        if found is None:
            raise NotFound("There is no such image.", hint="Reload the page that led here.")
        media_type, content = found
        headers = (
            ("content-type", media_type),
            ("cache-control", "private, max-age=31536000, immutable"),
            ("content-security-policy", "default-src 'none'; frame-ancestors 'none'; sandbox"),
            ("cross-origin-resource-policy", "same-origin"),
            ("x-content-type-options", "nosniff"),
        )
        return Response(200, content, headers)


def image_url(digest: bytes | None) -> str:
    """Where the image with this SHA-256 is; empty where there is none."""
    return "" if digest is None else f"{IMAGE_PATH}/{digest.hex()}"
