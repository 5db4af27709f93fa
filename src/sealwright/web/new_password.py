"""The form in which someone who came by a link chooses a password and types it twice."""

from __future__ import annotations

from typing import Any

from sealwright.http import Response
from sealwright.identity import MIN_PASSWORD, Account, WeakPassword
from sealwright.web.forms import FormError, fields_of, missing, not_the_same
from sealwright.web.page_request import PageRequest
from sealwright.web.pages import Pages


def link_token(page_request: PageRequest) -> str:
    """The token of the link."""
    return page_request.request.path_parameters["token"]


def new_password_errors(page_request: PageRequest) -> tuple[FormError, ...]:
    """What is wrong before the password itself is judged."""
    empty = missing(page_request.form, {"password": "Choose a password."})
    return empty or not_the_same(page_request.form, "password", "password-again")


def weak_password_errors(refusal: WeakPassword) -> tuple[FormError, ...]:
    """Why the password is refused, at its field."""
    return fields_of(refusal, kinds={WeakPassword: "password"})


def new_password_form(
    pages: Pages, template: str, page_request: PageRequest, person: Account, errors: tuple[FormError, ...] = (), **more: Any
) -> Response:
    """The form; `more`: what this page shows beside it."""
    return pages.single(
        template,
        status=422 if errors else 200,
        person=person,
        errors=errors,
        shortest_password=MIN_PASSWORD,
        action=page_request.request.path,
        csrf_token=page_request.anonymous_csrf_token,
        **more,
    )
