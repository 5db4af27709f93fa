"""The page for the break-glass password; where that is switched off, there is no such page."""

from __future__ import annotations

from sealwright.budgets import Budget
from sealwright.http import Response
from sealwright.identity import BreakGlass, BreakGlassRefused
from sealwright.ip import network_of
from sealwright.web.cookies import set_session
from sealwright.web.forms import FormError, form_error
from sealwright.web.notices import done
from sealwright.web.page_request import PageRequest
from sealwright.web.pages import Pages
from sealwright.web.return_to import HOME

BREAK_GLASS_PAGE = "/break-glass"


class BreakGlassPages:
    """No page leads there: who has the password knows the address."""

    def __init__(self, pages: Pages, break_glass: BreakGlass, attempts_by_network: Budget) -> None:
        self._pages = pages
        self._break_glass = break_glass
        self._attempts_by_network = attempts_by_network

    async def show(self, page_request: PageRequest) -> Response:
        """The form."""
        self._break_glass.require_enabled()
        return self._form(page_request)

    async def submit(self, page_request: PageRequest) -> Response:
        """Sign in as `admin`."""
        self._break_glass.require_enabled()
        self._attempts_by_network.take(network_of(page_request.address))
        try:
            completed = await self._break_glass.sign_in(
                page_request.typed("password"), address=page_request.address, user_agent=page_request.user_agent
            )
        except BreakGlassRefused as refusal:
            return self._form(page_request, errors=(form_error(refusal, "password"),))
        return done(HOME, "break-glass", set_session(completed.token))

    def _form(self, page_request: PageRequest, *, errors: tuple[FormError, ...] = ()) -> Response:
        return self._pages.single(
            "break-glass.html",
            status=403 if errors else 200,
            errors=errors,
            action=BREAK_GLASS_PAGE,
            csrf_token=page_request.anonymous_csrf_token,
        )
