"""The route of a page or a form."""

from __future__ import annotations

from typing import Final

from sealwright.http import Handler, Listener, Route, Wire

MAX_FORM: Final = 16_384
_PEOPLE = frozenset({Listener.PEOPLE})


def page_route(method: str, path: str, handler: Handler, access: str) -> Route:
    """On the listener for people; a form may be so long."""
    return Route(method, path, handler, _PEOPLE, access, Wire.PAGE, max_body=MAX_FORM)
