"""The page behind the link that makes the first administrator."""

from __future__ import annotations

from sealwright.errors import InvalidInput
from sealwright.http import Response
from sealwright.identity import (
    MIN_PASSWORD,
    Bootstrap,
    LinkRefused,
    MailRefused,
    MailTaken,
    NameRefused,
    NameTaken,
    TextRefused,
    WeakPassword,
)
from sealwright.oauth import SIGN_IN_PAGE
from sealwright.web.cookies import set_device, set_session
from sealwright.web.forms import Problem, fields_of, missing, not_the_same
from sealwright.web.models import TypedWelcome
from sealwright.web.notices import done
from sealwright.web.onward import HOME
from sealwright.web.pages import Pages, Place
from sealwright.web.visits import Visit

GROUP = "system_admins"

_ASKED = {
    "username": "Choose a user name.",
    "display-name": "Type the name that others see.",
    "mail": "Type an e-mail address.",
    "password": "Choose a password.",
}
_ORDER = ("", *_ASKED, "password-again")
_FIELDS: dict[type[Exception], str] = {
    NameRefused: "username",
    NameTaken: "username",
    TextRefused: "display-name",
    MailRefused: "mail",
    MailTaken: "mail",
    WeakPassword: "password",
}


class WelcomePages:
    """One use, and only while nobody administers this server."""

    def __init__(self, pages: Pages, bootstrap: Bootstrap) -> None:
        self._pages = pages
        self._bootstrap = bootstrap

    async def show(self, visit: Visit) -> Response:
        """The form for the first administrator, or what to do instead."""
        if not await self._bootstrap.is_open(_token(visit)):
            return self._closed(visit)
        return self._form(visit, TypedWelcome())

    async def submit(self, visit: Visit) -> Response:
        """Create the first administrator, who is then signed in."""
        if not await self._bootstrap.is_open(_token(visit)):
            return self._closed(visit)
        typed = TypedWelcome(visit.typed("username"), visit.typed("display-name"), visit.typed("mail"))
        password = visit.typed("password")
        problems = await self._problems(visit, typed, password)
        if problems:
            return self._form(visit, typed, problems=problems)
        try:
            completed = await self._bootstrap.welcome(
                _token(visit),
                name=typed.username.strip(),
                display_name=typed.display_name,
                mails=[typed.mail],
                password=password,
                address=visit.address,
                user_agent=visit.user_agent,
                device_token=visit.device_token,
            )
        except LinkRefused:
            return self._closed(visit)
        except (InvalidInput, NameTaken, MailTaken) as refusal:
            return self._form(visit, typed, problems=fields_of(refusal, _FIELDS))
        return done(HOME, "welcome", set_session(completed.token), set_device(completed.device_token))

    async def _problems(self, visit: Visit, typed: TypedWelcome, password: str) -> tuple[Problem, ...]:
        """Everything that is wrong, in the order of the page; of one field only the first thing."""
        found = [*missing(visit.form, _ASKED), *not_the_same(visit.form, "password", "password-again")]
        for refusal in await self._bootstrap.validation_errors(
            name=typed.username.strip(), display_name=typed.display_name, mails=[typed.mail], password=password
        ):
            found += fields_of(refusal, _FIELDS)
        first = {problem.field: problem for problem in reversed(found)}
        return tuple(sorted(first.values(), key=lambda problem: _ORDER.index(problem.field)))

    def _form(self, visit: Visit, typed: TypedWelcome, *, problems: tuple[Problem, ...] = ()) -> Response:
        return self._pages.single(
            "welcome.html",
            status=422 if problems else 200,
            typed=typed,
            problems=problems,
            group=GROUP,
            shortest_password=MIN_PASSWORD,
            action=visit.request.path,
            form_token=visit.open_token,
        )

    def _closed(self, visit: Visit) -> Response:
        return self._pages.single(
            "error.html",
            status=410,
            icon="none",
            heading="This link does not work any more",
            detail="It was used already, it is older than an hour, or a newer one has replaced it.",
            reasons=(),
            hint="While nobody administers this server, each start of it prints a new link. "
            "An administrator is made usable again from the server's shell:",
            command="sealwright recover-account admin",
            ways=(Place(SIGN_IN_PAGE, "Sign in"),),
            request_id=visit.request.request_id,
        )


def _token(visit: Visit) -> str:
    return visit.request.path_parameters["token"]
