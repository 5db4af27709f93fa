"""The page for each failure: one table from exception class to status and text."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType

from msgspec import Struct

from sealwright.errors import (
    Conflict,
    ContentTooLarge,
    Failure,
    InvalidInput,
    MethodNotAllowed,
    NotFound,
    NotPermitted,
    NotSignedIn,
    RateLimited,
    Refused,
    Unavailable,
    as_sentence,
)
from sealwright.http import FailureAnswer, Request, Response
from sealwright.identity import LinkRefused
from sealwright.oauth import SIGN_IN_PAGE, LogoutRefused, RequestGone, UnprovenRequest
from sealwright.web.errors import ForeignForm, StaleForm
from sealwright.web.formatting import failure_text
from sealwright.web.navigation import PageLink
from sealwright.web.pages import ConsoleContext, Headers, Pages
from sealwright.web.remedies import hint_of
from sealwright.web.return_to import HOME


class FailurePage(Struct, frozen=True):
    """The page for a class of failures."""

    status: int
    heading: str
    detail: str = ""
    """Shown instead of the failure's own detail, where that is written for programs."""
    hint: str = ""
    """What to do next, where the failure does not say it."""
    ways: tuple[PageLink, ...] = ()
    """Links out of the page."""
    icon: str = "stop"
    """A symbol of `parts.html`: `stop` where something was refused, `none` where there is nothing, `wait` where time helps."""


_COMMAND = ": sealwright "
_ACCOUNT = (PageLink(HOME, "My account"),)
_SIGN_IN = (PageLink(SIGN_IN_PAGE, "Sign in"),)

TABLE: Mapping[type[Exception], FailurePage] = MappingProxyType(
    {
        InvalidInput: FailurePage(400, "That was not understood", hint="Go back and try again.", ways=_ACCOUNT),
        StaleForm: FailurePage(400, "The form is out of date", ways=_ACCOUNT, icon="none"),
        NotSignedIn: FailurePage(403, "You are not signed in", ways=_SIGN_IN),
        NotPermitted: FailurePage(403, "You may not do this", ways=_ACCOUNT),
        ForeignForm: FailurePage(403, "Sent from another site", ways=_ACCOUNT),
        NotFound: FailurePage(
            404, "There is nothing here", hint="Check the address, or begin with your account.", ways=_ACCOUNT, icon="none"
        ),
        MethodNotAllowed: FailurePage(
            405,
            "That does not work here",
            detail="This address is a step of another page and cannot be opened by itself.",
            hint="Go to the page that it belongs to, or begin with your account.",
            ways=_ACCOUNT,
            icon="none",
        ),
        ContentTooLarge: FailurePage(413, "That is too large", ways=_ACCOUNT),
        RateLimited: FailurePage(429, "Too many attempts", icon="wait"),
        Refused: FailurePage(400, "Refused", ways=_ACCOUNT),
        UnprovenRequest: FailurePage(400, "This application's request is not right"),
        LogoutRefused: FailurePage(
            400,
            "You were not signed out",
            hint="Sign out here, or tell the people who run the application.",
            ways=(PageLink("/ui/sign-out", "Sign out"),),
        ),
        RequestGone: FailurePage(410, "This request is no longer open", icon="none"),
        LinkRefused: FailurePage(410, "This link does not work any more", ways=_SIGN_IN, icon="none"),
        Conflict: FailurePage(409, "That does not go together", ways=_ACCOUNT),
        Unavailable: FailurePage(503, "Not possible at the moment", icon="wait"),
    }
)
"""The nearest listed base class counts."""


def failure_page(failure: Exception) -> FailurePage | None:
    """The entry of the nearest listed class; None for faults of the server."""
    return next((TABLE[kind] for kind in type(failure).__mro__ if kind in TABLE), None)


def failure_answer(pages: Pages) -> FailureAnswer:
    """The function that turns failures of this wire into pages."""

    def answer_failure(request: Request, failure: Exception) -> Response:
        entry = failure_page(failure)
        if entry is not None and isinstance(failure, Failure):
            return known_failure(pages, request, failure, entry)
        return pages.single(
            "error.html",
            status=500,
            icon="stop",
            heading="Something failed here",
            detail="This is a fault of the server, not of what you did.",
            reasons=(),
            hint="Try again. If it stays so, tell an administrator the number of this request: the server's log has it.",
            command="",
            ways=(),
            request_id=request.request_id,
        )

    return answer_failure


def known_failure(
    pages: Pages, request: Request, failure: Failure, entry: FailurePage, context: ConsoleContext | None = None
) -> Response:
    """The page that `entry` stands for, within the console where there is a `context`."""
    hint, colon, command = (hint_of(failure) or entry.hint).partition(_COMMAND)
    show = partial(pages.single, "error.html") if context is None else partial(pages.console, "console-error.html", context)
    return show(
        status=entry.status,
        headers=waiting_headers(failure if isinstance(failure, RateLimited | Unavailable) else None),
        icon=entry.icon,
        heading=entry.heading,
        detail=(entry.detail or failure_text(failure)).removeprefix(f"{entry.heading}.").lstrip(),
        reasons=tuple(as_sentence(reason).removesuffix(".") for reason in failure.reasons),
        hint=f"{hint}:" if colon else hint,
        command=f"sealwright {command}" if colon else "",
        ways=entry.ways,
        request_id=request.request_id,
    )


def waiting_headers(failure: RateLimited | Unavailable | None) -> Headers:
    """When to come back."""
    return () if failure is None else (("retry-after", str(failure.retry_after)),)
