"""Lists that come a page at a time: one shape, and one way to go on, for all of them.

A page has `items`, and in `next` the place of its last item where there are more; the next one begins after that place. What
comes or goes meanwhile shifts nothing, because a place is a value of the item and no number.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from msgspec.structs import replace

from sealwright.api.json_types import ResponseBody
from sealwright.api.operations import LONGEST_PAGE, PAGE, Call

View = TypeVar("View", bound=ResponseBody)
_WHOLE_SECOND = re.compile(r"[0-9-]{10}T[0-9:]{8}Z")
PAGED: Mapping[str, str] = {
    "after": "The `next` of the page before.",
    "limit": f"At most this many, up to {LONGEST_PAGE}; by default {PAGE}.",
}
"""The query parameters of a list."""


def page_of(call: Call, whole: View, *by: str, newest_first: bool = False) -> View:
    """The page that was asked for of a list that was read whole, because it is a short one. `by`: members that order it."""
    listed: Any = whole
    items = sorted(listed.items, key=lambda item: _place(item, by), reverse=newest_first)
    after = call.query.get("after", "")
    if after:
        items = [each for each in items if (_place(each, by) < after if newest_first else _place(each, by) > after)]
    return replace(whole, items=items[: call.limit()], next=_next(items, call.limit(), by))


def _next(items: Sequence[Any], limit: int, by: Sequence[str]) -> str | None:
    return _place(items[limit - 1], by) if len(items) > limit else None


def _place(item: Any, by: Sequence[str]) -> str:
    return " ".join(_sortable(str(getattr(item, name))) for name in by)


def _sortable(text: str) -> str:
    """A time with its milliseconds, without which it would come after the same second with some."""
    return f"{text[:-1]}.000Z" if _WHOLE_SECOND.fullmatch(text) else text
