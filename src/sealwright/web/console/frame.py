"""What the pages of the console have in common: where they are, and the page that asks before something ends."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from sealwright.http import Response
from sealwright.identity import SignedIn
from sealwright.web.forms import FormError
from sealwright.web.navigation import PageLink
from sealwright.web.page_request import PageRequest
from sealwright.web.pages import ConsoleContext, Pages

MOST_LISTED: Final = 10
"""Of what ends, of each kind."""


def context_of(page_request: PageRequest, person: SignedIn, *trail: PageLink) -> ConsoleContext:
    """The frame of the page that was asked for; `trail`: the pages between its place and itself."""
    return ConsoleContext(person, page_request.csrf_token_of(person), page_request.request.path, trail)


class HitList(Struct, frozen=True):
    """What ends, one by one, as far as the reader may see it."""

    label: str
    items: tuple[tuple[str, str], ...]
    """What it is called, and its page; empty where it has none."""
    more: int = 0
    """How many are not listed."""


class Question(Struct, frozen=True, kw_only=True):
    """What is asked before something ends that cannot be had back by a click."""

    title: str
    impact: tuple[tuple[int, str], ...]
    """How many of what end with it."""
    after: tuple[str, ...]
    """What holds afterwards, in sentences."""
    action: str
    """Where the form goes."""
    button: str
    keep: str
    """The page that one goes back to."""
    hits: tuple[HitList, ...] = ()
    type_name: str = ""
    """The name to type, where more than one person is hit."""
    fields: tuple[tuple[str, str], ...] = ()
    """What the form carries along."""


def ask(
    pages: Pages, context: ConsoleContext, question: Question, *, errors: Iterable[FormError] = (), status: int = 200
) -> Response:
    """The page that asks."""
    return pages.console("confirm.html", context, status=status, question=question, errors=tuple(errors))


def hit_list(label: str, items: Iterable[tuple[str, str]]) -> HitList:
    """The first of them, and how many more there are."""
    found = tuple(items)
    return HitList(label, found[:MOST_LISTED], max(0, len(found) - MOST_LISTED))


def typed_wrong(page_request: PageRequest, question: Question) -> tuple[FormError, ...]:
    """An error where the name had to be typed and was not."""
    if not question.type_name or page_request.typed("name-again").strip() == question.type_name:
        return ()
    return (FormError(f"Type {question.type_name} to confirm it.", "name-again"),)
