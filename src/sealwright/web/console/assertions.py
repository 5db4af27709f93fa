"""A token of another issuer, pasted in: which check fails, or by which rule it would be taken."""

from __future__ import annotations

from typing import Final

from sealwright.http import Response
from sealwright.identity import SignedIn
from sealwright.oauth import AssertionExplanation, AssertionExplanations
from sealwright.web.console.trusted_issuers import TRUSTED_ISSUERS_PAGE
from sealwright.web.forms import FormError, missing
from sealwright.web.page_request import PageRequest
from sealwright.web.pages import ConsoleContext, Pages

EXPLAIN_PAGE: Final = "/ui/explain/assertion"
_NEEDED: Final = {"assertion": "Paste a token."}


class AssertionPages:
    """The page that explains tokens. What was pasted is neither shown again nor kept."""

    def __init__(self, pages: Pages, explanations: AssertionExplanations) -> None:
        self._pages = pages
        self._explanations = explanations

    async def show(self, page_request: PageRequest, person: SignedIn) -> Response:
        """The form for a token."""
        return self._page(page_request, person)

    async def explain(self, page_request: PageRequest, person: SignedIn) -> Response:
        """What came of each check."""
        errors = missing(page_request.form, _NEEDED)
        if errors:
            return self._page(page_request, person, errors=errors)
        found = await self._explanations.explain(page_request.typed("assertion"), actor=person.actor)
        return self._page(page_request, person, found=found)

    def _page(
        self,
        page_request: PageRequest,
        person: SignedIn,
        *,
        found: AssertionExplanation | None = None,
        errors: tuple[FormError, ...] = (),
    ) -> Response:
        return self._pages.console(
            "assertion.html",
            ConsoleContext(person, page_request.csrf_token_of(person), f"{TRUSTED_ISSUERS_PAGE}/"),
            status=422 if errors else 200,
            errors=errors,
            found=found,
            issuers=TRUSTED_ISSUERS_PAGE,
            action=EXPLAIN_PAGE,
        )
