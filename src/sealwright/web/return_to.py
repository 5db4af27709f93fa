"""Where a sign-in leads: to the pending request of an application, or to the page of ours that was asked for."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote, urlencode

from msgspec import Struct

from sealwright.http import Request
from sealwright.web.navigation import PLACES

HOME = "/ui/account"
MAX_PAGE_LENGTH: Final = 1_024
_ROOMS = "|".join(sorted({place.path.split("/")[2] for place in PLACES} | {"search", "help"}))
_OWN_PAGE = re.compile(rf"/ui/(?:{_ROOMS})(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]{{0,199}}){{0,8}}(?:\?[A-Za-z0-9._~%&=+-]*)?")
"""Pages for people who are signed in, with their query. Nothing that begins like this can lead to another host."""


class ReturnTo(Struct, frozen=True):
    """Kept in the query of the sign-in pages, so that several sign-ins can go on side by side."""

    handle: str = ""
    """Of an application's pending request."""
    page: str = HOME
    """A page of ours with its query, where no application asked."""

    def path(self, page: str) -> str:
        """`page` with what it needs to lead on."""
        if self.handle:
            return f"{page}?{urlencode({'request': self.handle})}"
        return page if self.page == HOME else f"{page}?{urlencode({'next': self.page})}"


def read_return_to(request: Request) -> ReturnTo:
    """What the query asks for. Only pages of ours are led to, whatever the address says."""
    query = request.query()
    page = query.get("next", HOME)
    return ReturnTo(handle=query.get("request", ""), page=page if is_own_page(page) else HOME)


def is_own_page(text: str) -> bool:
    """Whether it is the address of a page of ours, with or without a query."""
    return len(text) <= MAX_PAGE_LENGTH and _OWN_PAGE.fullmatch(text) is not None


def requested_page(request: Request) -> str:
    """The page that was asked for, with its query; the path alone where the query could not be led back to."""
    path = quote(request.path)
    whole = f"{path}?{request.query_text}" if request.query_text else path
    return whole if is_own_page(whole) else path
