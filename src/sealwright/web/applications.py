"""Applications that I allowed to know who I am."""

from __future__ import annotations

from sealwright.identity import SignedIn
from sealwright.oauth import Consents
from sealwright.web.models import ShownConsent
from sealwright.web.pages import Inside, Pages
from sealwright.web.visits import Visit
from sealwright.web.wishes import scope_labels
from sealwright.wire import Response, redirect

APPLICATIONS_PAGE = "/ui/account/applications"


class ApplicationPages:
    """One's own consents."""

    def __init__(self, pages: Pages, consents: Consents) -> None:
        self._pages = pages
        self._consents = consents

    async def show(self, visit: Visit, person: SignedIn) -> Response:
        """The applications that the person allowed to know who they are."""
        given = await self._consents.list_of(person)
        return self._pages.console(
            "applications.html",
            Inside(person, visit.token_of(person), APPLICATIONS_PAGE),
            consents=tuple(
                ShownConsent(one.client_name, one.client_display_name, scope_labels(one.scopes), one.granted_at) for one in given
            ),
            told="What the application was allowed is taken back." if visit.request.query().get("done") == "withdrawn" else "",
        )

    async def withdraw(self, visit: Visit, person: SignedIn) -> Response:
        """Take such a consent back."""
        await self._consents.withdraw(person, visit.typed("client"))
        return redirect(f"{APPLICATIONS_PAGE}?done=withdrawn")
