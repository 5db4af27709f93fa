"""A form counts only if a page of ours made it, for this browser, for this sign-in.

Two checks that stand alone: where the browser says that the request comes from (Origin, Sec-Fetch-Site), and a mark in the
form that only a page for this browser and session could know.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from msgspec import Struct

from sealwright.entropy import Entropy, token
from sealwright.errors import Failure
from sealwright.http import Request
from sealwright.identity import MailRefused, digits_of
from sealwright.web.cookies import FORM_COOKIE, set_form_secret
from sealwright.web.errors import ForeignForm, StaleForm
from sealwright.web.words import failure_text

MARK_FIELD: Final = "form_token"
_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")


class Problem(Struct, frozen=True):
    """One thing that is wrong with a form."""

    text: str
    field: str = ""
    """Id of the control it is tied to; empty where it is the form as a whole."""


def missing(form: Mapping[str, str], asked: Mapping[str, str]) -> tuple[Problem, ...]:
    """A problem for every field in `asked` that was left empty; `asked` tells what to say then."""
    return tuple(Problem(text, name) for name, text in asked.items() if not form.get(name, "").strip())


def not_the_same(form: Mapping[str, str], first: str, again: str) -> tuple[Problem, ...]:
    """A problem where a password was not typed twice alike."""
    same = form.get(first, "") == form.get(again, "")
    return () if same else (Problem("The two passwords are not the same. Type both again.", again),)


def unlike_a_code(typed: str) -> tuple[Problem, ...]:
    """A problem where this cannot be a code of an app; told at once, and not counted as an attempt."""
    return () if digits_of(typed) else (Problem("Type all six digits that your app shows.", "code"),)


def problem_of(failure: Failure, name: str = "") -> Problem:
    """A failure as one problem, with what to do next."""
    return Problem(f"{failure_text(failure)} {failure.hint}".strip(), name)


def fields_of(failure: Failure, fields: Mapping[type[Exception], str]) -> tuple[Problem, ...]:
    """A failure with its reasons, tied to the field that `fields` names for its class."""
    if isinstance(failure, MailRefused):
        return (Problem("Type an address such as alice@example.org.", fields.get(MailRefused, "")),)
    name = next((fields[kind] for kind in type(failure).__mro__ if kind in fields), "")
    reasons = " ".join(f"{reason[:1].upper()}{reason[1:]}." for reason in failure.reasons)
    return (Problem(" ".join(part for part in (failure_text(failure), reasons, failure.hint) if part), name),)


@dataclass(frozen=True, slots=True)
class FormSecret:
    """What this browser's forms are marked with."""

    value: str = field(repr=False)
    fresh: bool
    """Drawn for this answer: the browser does not hold it yet."""

    def mark(self, session_id: str) -> str:
        """The mark of a form for this session; an empty id is for forms of people who are not signed in."""
        digest = hmac.digest(self.value.encode(), b"form:" + session_id.encode(), hashlib.sha256)
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

    def cookies(self) -> tuple[tuple[str, str], ...]:
        """What the answer has to set."""
        return (set_form_secret(self.value),) if self.fresh else ()


def form_secret(request: Request, entropy: Entropy) -> FormSecret:
    """The secret that the browser holds, or a new one."""
    held = request.cookie(FORM_COOKIE)
    if held is not None and _SECRET.fullmatch(held):
        return FormSecret(held, fresh=False)
    return FormSecret(token(entropy), fresh=True)


def check_sender(request: Request, public_origin: str) -> None:
    """Raise ForeignForm where the browser says that another site sent this."""
    origin = request.headers.get("origin")
    if origin is not None and origin not in (public_origin, request.origin):
        raise ForeignForm(
            f"The form was sent from {origin[:200]!r}, and not from a page of this server.",
            hint="Open the page again here, and send the form from it.",
        )
    site = request.headers.get("sec-fetch-site")
    if site is not None and site not in ("same-origin", "none"):
        raise ForeignForm(
            f"The browser says that the form comes from another site ({site[:40]!r}).",
            hint="Open the page again here, and send the form from it.",
        )


def check_mark(given: str, secret: FormSecret, session_id: str) -> None:
    """Raise StaleForm unless `given` is the mark of a form of this browser and session."""
    if secret.fresh or not hmac.compare_digest(given.encode(), secret.mark(session_id).encode()):
        raise StaleForm(
            "The form is out of date: it was made for another sign-in, or the browser does not send cookies to this server.",
            hint="Go back, reload the page, and send the form again.",
        )
