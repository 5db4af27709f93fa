"""The page behind the link that makes the first administrator."""

from __future__ import annotations

from typing import Final

from sealwright.errors import InvalidInput
from sealwright.http import Response
from sealwright.identity import (
    MIN_PASSWORD,
    Bootstrap,
    LinkRefused,
    MailTaken,
    NameTaken,
    WeakPassword,
)
from sealwright.oauth import SIGN_IN_PAGE
from sealwright.web.cookies import set_device, set_session
from sealwright.web.forms import FormError, fields_of, missing, not_the_same
from sealwright.web.models import TypedWelcome
from sealwright.web.navigation import PageLink
from sealwright.web.new_password import link_token
from sealwright.web.notices import done
from sealwright.web.page_request import PageRequest
from sealwright.web.pages import Pages
from sealwright.web.return_to import HOME

GROUP = "system_admins"

_ASKED = {
    "username": "Choose a user name.",
    "display-name": "Type the name that others see.",
    "mail": "Type an e-mail address.",
    "password": "Choose a password.",
}
_ORDER = ("", *_ASKED, "password-again")
_FIELDS: Final = {"name": "username", "display_name": "display-name", "mails": "mail"}
_KINDS: dict[type[Exception], str] = {WeakPassword: "password"}


class WelcomePages:
    """One use, and only while no one administers this server."""

    def __init__(self, pages: Pages, bootstrap: Bootstrap) -> None:
        self._pages = pages
        self._bootstrap = bootstrap

    async def show(self, page_request: PageRequest) -> Response:
        """The form for the first administrator, or what to do instead."""
        if not await self._bootstrap.is_open(link_token(page_request)):
            return self._closed(page_request)
        return self._form(page_request, TypedWelcome())

    async def submit(self, page_request: PageRequest) -> Response:
        """Create the first administrator, who is then signed in."""
        if not await self._bootstrap.is_open(link_token(page_request)):
            return self._closed(page_request)
        typed = TypedWelcome(page_request.typed("username"), page_request.typed("display-name"), page_request.typed("mail"))
        password = page_request.typed("password")
        errors = await self._errors(page_request, typed, password)
        if errors:
            return self._form(page_request, typed, errors=errors)
        try:
            completed = await self._bootstrap.welcome(
                link_token(page_request),
                name=typed.username.strip(),
                display_name=typed.display_name,
                mails=[typed.mail],
                password=password,
                address=page_request.address,
                user_agent=page_request.user_agent,
                device_token=page_request.device_token,
            )
        except LinkRefused:
            return self._closed(page_request)
        except (InvalidInput, NameTaken, MailTaken) as refusal:
            return self._form(page_request, typed, errors=fields_of(refusal, _FIELDS, _KINDS))
        return done(HOME, "welcome", set_session(completed.token), set_device(completed.device_token))

    async def _errors(self, page_request: PageRequest, typed: TypedWelcome, password: str) -> tuple[FormError, ...]:
        """Everything that is wrong, in the order of the page; of one field only the first thing."""
        found = [*missing(page_request.form, _ASKED), *not_the_same(page_request.form, "password", "password-again")]
        for refusal in await self._bootstrap.validation_errors(
            name=typed.username.strip(), display_name=typed.display_name, mails=[typed.mail], password=password
        ):
            found += fields_of(refusal, _FIELDS, _KINDS)
        first = {error.field: error for error in reversed(found)}
        return tuple(sorted(first.values(), key=lambda error: _ORDER.index(error.field)))

    def _form(self, page_request: PageRequest, typed: TypedWelcome, *, errors: tuple[FormError, ...] = ()) -> Response:
        return self._pages.single(
            "welcome.html",
            status=422 if errors else 200,
            typed=typed,
            errors=errors,
            group=GROUP,
            shortest_password=MIN_PASSWORD,
            action=page_request.request.path,
            csrf_token=page_request.anonymous_csrf_token,
        )

    def _closed(self, page_request: PageRequest) -> Response:
        return self._pages.single(
            "error.html",
            status=410,
            icon="none",
            heading="This link does not work any more",
            detail="It was used already, it is older than an hour, or a newer one has replaced it.",
            reasons=(),
            hint="While no one administers this server, each start of it prints a new link. "
            "An administrator is made usable again from the server's shell:",
            command="sealwright recover-account admin",
            ways=(PageLink(SIGN_IN_PAGE, "Sign in"),),
            request_id=page_request.request.request_id,
        )
