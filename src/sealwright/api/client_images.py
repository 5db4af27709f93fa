"""The images of OAuth clients."""

from __future__ import annotations

from sealwright.access import Permission
from sealwright.api.json_types import RequestBody, ResponseBody
from sealwright.api.operations import Call, Operation
from sealwright.client_metadata import LARGEST_IMAGE
from sealwright.oauth import ClientImages

_WRITE = str(Permission.CLIENT_WRITE)
_ONE = "/oauth2/clients/{name}"


class ImageBody(RequestBody, frozen=True, kw_only=True):
    """An image: PNG, JPEG, GIF or WebP, at most 256 KiB and 1024 pixels on each side."""

    content: bytes
    """In base64."""


class ImageView(ResponseBody, frozen=True, kw_only=True):
    """What an image is."""

    name: str
    media_type: str
    width: int
    height: int


class ClientImageOperations:
    """Operations about them."""

    def __init__(self, images: ClientImages) -> None:
        self._images = images

    def operations(self) -> list[Operation]:
        """All of them."""
        place = f"{_ONE}/image"
        return [
            Operation(
                "set_client_image",
                "PUT",
                place,
                "Give a client an image.",
                _WRITE,
                self._set_image,
                returns=ImageView,
                accepts=ImageBody,
                max_body=2 * LARGEST_IMAGE,
            ),
            Operation(
                "remove_client_image", "DELETE", place, "Take a client's image away.", _WRITE, self._remove_image, status=204
            ),
        ]

    async def _set_image(self, call: Call) -> ImageView:
        name = call.path("name")
        image = await self._images.set_image(name, call.body.content, actor=call.actor)
        return ImageView(name=name, media_type=image.media_type, width=image.width, height=image.height)

    async def _remove_image(self, call: Call) -> None:
        await self._images.remove_image(call.path("name"), actor=call.actor)
