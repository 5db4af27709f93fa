"""The administrators' pages, once with every kind of value."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from sealwright.http import Response

if TYPE_CHECKING:
    from tests.unit.web.gallery import Gallery

Samples = Iterator[tuple[str, Response]]


def console_pages(gallery: Gallery) -> Samples:
    """All of them."""
    yield from refusals(gallery, gallery.pages.console)


def refusals(gallery: Gallery, show: Callable[..., Response]) -> Samples:
    text = gallery.text
    values = {
        "heading": text("You may not do this"),
        "detail": text("alice does not have the permission person:write."),
        "reasons": (text("person:write is held by members of idm_people_admins"),),
        "hint": text("Sign in as someone who has it."),
        "command": text("sealwright recover-account admin"),
        "ways": ({"path": "/ui/account", "label": text("My account")},),
        "request_id": text("7c1f0a9e"),
        "icon": "stop",
    }
    yield "console-error", show("console-error.html", gallery.context("/ui/clients/wiki"), status=403, **values)
