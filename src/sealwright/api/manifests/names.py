"""The names of what a manifest may delete, read a page at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Protocol, TypeVar


class _Named(Protocol):
    @property
    def name(self) -> str: ...


T = TypeVar("T", bound=_Named)


async def names_by_pages(
    page_after: Callable[[str], Awaitable[Sequence[T]]], *, stays: Callable[[T], bool] | None = None
) -> AsyncIterator[str]:
    """The names on all pages. `page_after`: what comes after a name; `stays`: what can never be deleted."""
    after = ""
    while found := await page_after(after):
        for each in found:
            if stays is None or not stays(each):
                yield each.name
        after = found[-1].name
