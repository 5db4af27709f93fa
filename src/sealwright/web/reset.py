"""The page behind a link with which somebody sets a password of their own."""

from __future__ import annotations

from sealwright.http import Response
from sealwright.identity import MIN_PASSWORD, ResetLink, ResetLinks, WeakPassword
from sealwright.web.cookies import set_device
from sealwright.web.forms import Problem, fields_of, missing, not_the_same
from sealwright.web.pages import Pages
from sealwright.web.visits import Visit


class ResetPages:
    """Made by an administrator, good once. Whoever sets the password then signs in with it, second factor and all."""

    def __init__(self, pages: Pages, reset_links: ResetLinks) -> None:
        self._pages = pages
        self._reset_links = reset_links

    async def show(self, visit: Visit) -> Response:
        """The form for a new password."""
        return self._form(visit, await self._link(visit))

    async def submit(self, visit: Visit) -> Response:
        """Set a new password."""
        link = await self._link(visit)
        problems = missing(visit.form, {"password": "Choose a password."}) or not_the_same(
            visit.form, "password", "password-again"
        )
        if problems:
            return self._form(visit, link, problems=problems)
        try:
            reset, device_token = await self._reset_links.redeem(
                _token(visit),
                visit.typed("password"),
                end_certificates=visit.form.get("end-certificates") == "yes",
                address=visit.address,
                user_agent=visit.user_agent,
                device_token=visit.device_token,
            )
        except WeakPassword as refusal:
            return self._form(visit, link, problems=fields_of(refusal, {WeakPassword: "password"}))
        return self._pages.single("password-set.html", headers=(set_device(device_token),), person=link.account, reset=reset)

    async def _link(self, visit: Visit) -> ResetLink:
        return await self._reset_links.require(_token(visit))

    def _form(self, visit: Visit, link: ResetLink, *, problems: tuple[Problem, ...] = ()) -> Response:
        return self._pages.single(
            "reset.html",
            status=422 if problems else 200,
            person=link.account,
            link=link,
            problems=problems,
            shortest_password=MIN_PASSWORD,
            action=visit.request.path,
            form_token=visit.open_token,
        )


def _token(visit: Visit) -> str:
    return visit.request.path_parameters["token"]
