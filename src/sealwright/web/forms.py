"""A form counts only if a page of ours made it, for this browser, for this sign-in.

Two independent checks: where the browser says the request comes from (Origin, Sec-Fetch-Site), and a CSRF token that only a
page for this browser and session could know.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from msgspec import Struct

from sealwright.entropy import Entropy, token
from sealwright.errors import Failure, as_sentence
from sealwright.http import Request, foreign_sender
from sealwright.identity import CSRF_COOKIE, MailRefused, digits_of, normalize_recovery_code
from sealwright.web.cookies import set_csrf_secret
from sealwright.web.errors import ForeignForm, StaleForm
from sealwright.web.formatting import failure_text
from sealwright.web.remedies import hint_of

CSRF_FIELD: Final = "csrf_token"
_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")


class FormError(Struct, frozen=True):
    """One error in a form."""

    text: str
    field: str = ""
    """Id of the control it is tied to; empty where it is the form as a whole."""


def missing(form: Mapping[str, str], asked: Mapping[str, str]) -> tuple[FormError, ...]:
    """An error for every field in `asked` that was left empty; `asked` holds its text."""
    return tuple(FormError(text, name) for name, text in asked.items() if not form.get(name, "").strip())


def not_the_same(form: Mapping[str, str], first: str, again: str) -> tuple[FormError, ...]:
    """An error where the two passwords differ."""
    same = form.get(first, "") == form.get(again, "")
    return () if same else (FormError("The two passwords are not the same. Type both again.", again),)


def unlike_a_code(typed: str) -> tuple[FormError, ...]:
    """An error where this cannot be a code of an app; it is not counted as an attempt."""
    return () if digits_of(typed) else (FormError("Type all six digits that your app shows.", "code"),)


def unlike_any_code(typed: str) -> tuple[FormError, ...]:
    """The same where a recovery code may be typed as well."""
    return () if normalize_recovery_code(typed) else unlike_a_code(typed)


def form_error(failure: Failure, name: str = "") -> FormError:
    """A failure as one error, with what to do next."""
    return FormError(f"{failure_text(failure)} {hint_of(failure)}".strip(), name)


def fields_of(
    failure: Failure,
    members: Mapping[str, str] = MappingProxyType({}),
    kinds: Mapping[type[Exception], str] = MappingProxyType({}),
) -> tuple[FormError, ...]:
    """A failure with its reasons, tied to a field: by the member that the failure points to, or else by its class.

    A member that the form has no field for is said of the form as a whole.
    """
    member = failure.pointer.removeprefix("/").partition("/")[0]
    name = members.get(member) or next((kinds[kind] for kind in type(failure).__mro__ if kind in kinds), "")
    if isinstance(failure, MailRefused):
        return (FormError("Type an address such as alice@example.org.", name),)
    reasons = " ".join(map(as_sentence, failure.reasons))
    return (FormError(" ".join(part for part in (failure_text(failure), reasons, hint_of(failure)) if part), name),)


@dataclass(frozen=True, slots=True)
class CsrfSecret:
    """The secret from which this browser's CSRF tokens are derived."""

    value: str = field(repr=False)
    fresh: bool
    """Drawn for this response: the browser does not hold it yet."""

    def csrf_token(self, session_id: str) -> str:
        """The token for forms of this session; an empty id is for forms of people who are not signed in."""
        digest = hmac.digest(self.value.encode(), b"form:" + session_id.encode(), hashlib.sha256)
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

    def cookies(self) -> tuple[tuple[str, str], ...]:
        """What the response has to set."""
        return (set_csrf_secret(self.value),) if self.fresh else ()


def csrf_secret(request: Request, entropy: Entropy) -> CsrfSecret:
    """The secret that the browser holds, or a new one."""
    held = request.cookie(CSRF_COOKIE)
    if held is not None and _SECRET.fullmatch(held):
        return CsrfSecret(held, fresh=False)
    return CsrfSecret(token(entropy), fresh=True)


def check_sender(request: Request, public_origin: str) -> None:
    """Raise ForeignForm where the browser says that another site sent this."""
    sender = foreign_sender(request, public_origin)
    if sender:
        raise ForeignForm(
            f"The form was sent from {sender!r}, and not from a page of this server.",
            hint="Open the page again here, and send the form from it.",
        )


def check_csrf_token(given: str, secret: CsrfSecret, session_id: str) -> None:
    """Raise StaleForm unless `given` is the CSRF token of this browser and session."""
    if secret.fresh or not hmac.compare_digest(given.encode(), secret.csrf_token(session_id).encode()):
        raise StaleForm(
            "The form is out of date: it was made for another sign-in, or the browser does not send cookies to this server.",
            hint="Go back, reload the page, and send the form again.",
        )
