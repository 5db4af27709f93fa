"""Where a sign-in leads: to the pending request of an application, or to a page of ours."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlencode

from msgspec import Struct

from sealwright.wire import Request

HOME = "/ui/account"


class Onward(Struct, frozen=True):
    """Kept in the query of the sign-in pages, so that several sign-ins can go on side by side."""

    handle: str = ""
    """Of an application's pending request."""
    place: str = HOME
    """A page of ours, where no application asked."""

    def path(self, page: str) -> str:
        """`page` with what it needs to lead on."""
        if self.handle:
            return f"{page}?{urlencode({'request': self.handle})}"
        return page if self.place == HOME else f"{page}?{urlencode({'next': self.place})}"


def read_onward(request: Request, places: Collection[str]) -> Onward:
    """What the query asks for. Only pages of ours are led to, whatever the address says."""
    query = request.query()
    place = query.get("next", HOME)
    return Onward(handle=query.get("request", "")[:128], place=place if place in places else HOME)
