"""Images of a manifest: each in a file beside it, or in the manifest itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

IMAGES: Mapping[str, tuple[str, ...]] = {"clients": ("image",)}
"""Kind → its members that are images."""


class ImagePlace(NamedTuple):
    """Where an image is."""

    place: Literal["file", "data"]
    text: str
    """A path, or base64."""


def image_place_of(value: Any) -> ImagePlace | None:
    """The place that a member names; None where it names none."""
    if isinstance(value, dict) and len(value) == 1:
        ((place, text),) = value.items()
        if place in ("file", "data") and isinstance(text, str) and text:
            return ImagePlace(place, text)
    return None
