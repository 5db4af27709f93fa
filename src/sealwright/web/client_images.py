"""The images of applications, each at an address that holds a hash of its content."""

from __future__ import annotations

from sealwright.errors import NotFound
from sealwright.http import Request, Response
from sealwright.oauth import ClientImages

IMAGE_PATH = "/ui/application-images"


class ClientImagePages:
    """Serves them to anyone: people see them before they sign in."""

    def __init__(self, images: ClientImages) -> None:
        self._images = images

    async def show(self, request: Request) -> Response:
        """The image of an application."""
        found = await self._images.with_digest(request.path_parameters["digest"])
        if found is None:
            raise NotFound("There is no such image.", hint="Reload the page that led here.")
        media_type, content = found
        headers = (
            ("content-type", media_type),
            ("cache-control", "public, max-age=31536000, immutable"),
            ("content-security-policy", "default-src 'none'; frame-ancestors 'none'; sandbox"),
            ("cross-origin-resource-policy", "same-origin"),
            ("x-content-type-options", "nosniff"),
        )
        return Response(200, content, headers)


def image_url(digest: bytes | None) -> str:
    """Where the image with this SHA-256 is; empty where there is none."""
    return "" if digest is None else f"{IMAGE_PATH}/{digest.hex()}"
