"""A list as its address says: what is searched for, which filters count, in which order, and from where on.

The address is the saved filter: it can be kept as a bookmark, sent to a colleague, and gone back to.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from msgspec import Struct

from sealwright.errors import InvalidInput
from sealwright.http import Request

ON_A_PAGE = 50
LONGEST_SEARCH = 200


class Filter(Struct, frozen=True):
    """One way to narrow a list."""

    id: str
    label: str
    choices: Mapping[str, str]
    """What the address says → what the page says. Without it, everything is listed."""
    as_select: bool = False
    """Whether it is chosen in a form, for there may be many choices; else each choice is a link."""
    open: bool = False
    """Whether a value is taken that is not among the choices: of what is gone, or beyond those that are shown."""


class Column(Struct, frozen=True):
    """One column of a list. `sort` is the order that its head chooses; empty where there is none."""

    label: str
    sort: str = ""
    number: bool = False


class Listing(Struct, frozen=True):
    """What the address of a list asks for."""

    path: str
    filters: tuple[Filter, ...] = ()
    orders: tuple[str, ...] = ()
    """The first is that of a list that asks for none."""
    search: str = ""
    chosen: Mapping[str, str] = {}
    order: str = ""
    after: str = ""

    def link(self, **changes: str) -> str:
        """The address of the list with `changes`, from its beginning; an empty value leaves a part out."""
        parts = {"q": self.search, **self.chosen, "order": "" if self.order == self._first_order else self.order} | changes
        query = urlencode({name: value for name, value in parts.items() if value})
        return f"{self.path}?{query}" if query else self.path

    @property
    def _first_order(self) -> str:
        return self.orders[0] if self.orders else ""

    @property
    def kept(self) -> Mapping[str, str]:
        """What the form of the search carries along."""
        order = "" if self.order == self._first_order else self.order
        return {name: value for name, value in {**self.chosen, "order": order}.items() if value}

    @property
    def narrowed(self) -> bool:
        """Whether it leaves anything out."""
        return bool(self.search or self.chosen)

    @property
    def at_start(self) -> bool:
        """Whether it begins at the beginning."""
        return not self.after


def read_listing(request: Request, path: str, *, filters: tuple[Filter, ...] = (), orders: tuple[str, ...] = ()) -> Listing:
    """What the query asks for; what no page of ours could ask for raises InvalidInput."""
    query = request.query()
    search = query.get("q", "").strip()
    if len(search) > LONGEST_SEARCH:
        raise InvalidInput(f"The search has {len(search)} characters.", hint=f"Search for at most {LONGEST_SEARCH} characters.")
    chosen = {}
    for one in filters:
        value = query.get(one.id, "")
        if value and one.choices and not one.open and value not in one.choices:
            raise InvalidInput(f"{one.label} is {value[:40]!r}.", hint=f"Choose one of {', '.join(one.choices)}.")
        if value:
            chosen[one.id] = value
    order = query.get("order", "") or (orders[0] if orders else "")
    if orders and order not in orders:
        raise InvalidInput(f"The order is {order[:40]!r}.", hint=f"Choose one of {', '.join(orders)}.")
    return Listing(path, filters, orders, search, chosen, order, query.get("after", ""))
