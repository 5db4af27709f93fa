"""A failure on an administrators' page: what it needs and the way on, within the console."""

from __future__ import annotations

from sealwright.errors import Failure
from sealwright.http import Response
from sealwright.identity import SignedIn
from sealwright.web.failures import failure_page, known_failure
from sealwright.web.page_request import ConsoleRefusal, PageRequest
from sealwright.web.pages import ConsoleContext, Pages


def refusal_in_console(pages: Pages) -> ConsoleRefusal:
    """The function that shows it."""

    def refusal(page_request: PageRequest, person: SignedIn, failure: Failure) -> Response:
        entry = failure_page(failure)
        if entry is None:
            raise failure
        context = ConsoleContext(person, page_request.csrf_token_of(person), page_request.request.path)
        return known_failure(pages, page_request.request, failure, entry, context)

    return refusal
