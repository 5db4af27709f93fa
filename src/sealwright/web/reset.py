"""The page behind a link with which someone sets a password of their own."""

from __future__ import annotations

from sealwright.http import Response
from sealwright.identity import ResetLink, ResetLinks, WeakPassword
from sealwright.web.cookies import set_device
from sealwright.web.forms import FormError
from sealwright.web.new_password import link_token, new_password_errors, new_password_form, weak_password_errors
from sealwright.web.page_request import PageRequest
from sealwright.web.pages import Pages


class ResetPages:
    """Made by an administrator, for one use. Anyone who sets the password then signs in with it, second factor and all."""

    def __init__(self, pages: Pages, reset_links: ResetLinks) -> None:
        self._pages = pages
        self._reset_links = reset_links

    async def show(self, page_request: PageRequest) -> Response:
        """The form for a new password."""
        return self._form(page_request, await self._link(page_request))

    async def submit(self, page_request: PageRequest) -> Response:
        """Set a new password."""
        link = await self._link(page_request)
        errors = new_password_errors(page_request)
        if errors:
            return self._form(page_request, link, errors)
        try:
            reset, device_token = await self._reset_links.redeem(
                link_token(page_request),
                page_request.typed("password"),
                end_certificates=page_request.form.get("end-certificates") == "yes",
                address=page_request.address,
                user_agent=page_request.user_agent,
                device_token=page_request.device_token,
            )
        except WeakPassword as refusal:
            return self._form(page_request, link, weak_password_errors(refusal))
        return self._pages.single("password-set.html", headers=(set_device(device_token),), person=link.account, reset=reset)

    async def _link(self, page_request: PageRequest) -> ResetLink:
        return await self._reset_links.require(link_token(page_request))

    def _form(self, page_request: PageRequest, link: ResetLink, errors: tuple[FormError, ...] = ()) -> Response:
        return new_password_form(self._pages, "reset.html", page_request, link.account, errors, link=link)
