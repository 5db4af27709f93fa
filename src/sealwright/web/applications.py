"""Applications that I may use, and those that I allowed to know who I am."""

from __future__ import annotations

from sealwright.access import Permission
from sealwright.http import Response
from sealwright.identity import SignedIn
from sealwright.oauth import AvailableClient, Consents
from sealwright.web.claims_preview import scope_labels
from sealwright.web.client_images import image_url
from sealwright.web.formatting import host_text
from sealwright.web.models import ListedApplication, ListedConsent, ListedConsentEvent
from sealwright.web.notices import done, notice_text
from sealwright.web.page_request import PageRequest
from sealwright.web.pages import ConsoleContext, Pages

APPLICATIONS_PAGE = "/ui/account/applications"


class ApplicationPages:
    """One's own applications and consents."""

    def __init__(self, pages: Pages, consents: Consents) -> None:
        self._pages = pages
        self._consents = consents

    async def show(self, page_request: PageRequest, person: SignedIn) -> Response:
        """The applications that the person may use, and what each was allowed to know."""
        given = await self._consents.list_of(person)
        return self._pages.console(
            "applications.html",
            ConsoleContext(person, page_request.csrf_token_of(person), APPLICATIONS_PAGE),
            usable=tuple(_shown(one, self._consents.start_url_of(one)) for one in await self._consents.available_clients(person)),
            consents=tuple(
                ListedConsent(one.client_name, one.client_display_name, scope_labels(one.scopes), one.granted_at) for one in given
            ),
            history=tuple(
                ListedConsentEvent(one.client_display_name, one.given, scope_labels(one.scopes) if one.given else (), one.at)
                for one in await self._consents.history_of(person)
            ),
            may_see_clients=person.actor.permissions.holds_somewhere(Permission.CLIENT_READ),
            notice=notice_text(page_request.request),
        )

    async def withdraw(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Take such a consent back."""
        await self._consents.withdraw(person, page_request.typed("client"))
        return done(APPLICATIONS_PAGE, "withdrawn")


def _shown(one: AvailableClient, start_url: str) -> ListedApplication:
    """With a link where it leads over https; a program on the person's own computer has no page to be sent to."""
    link = start_url if start_url.startswith("https://") else ""
    return ListedApplication(one.display_name, link, host_text(one.landing_url), image_url(one.image_digest))
