"""Requests that the API refuses before their operation runs."""

from __future__ import annotations

from sealwright.errors import InvalidInput, NotPermitted, NotSignedIn, Remedy
from sealwright.identity import SessionEnd


class WrongContentType(InvalidInput):
    """The body is not JSON."""

    code = "wrong_content_type"


class SessionNeeded(NotSignedIn):
    """The request has no session that the API accepts."""

    code = "session_needed"

    def __init__(self, detail: str, *, ended: SessionEnd | None = None, remedy: Remedy | None = None) -> None:
        """`ended`: why the credential that was shown is not valid; None where none was."""
        super().__init__(detail, reasons=() if ended is None else (ended.words,), remedy=remedy)
        self.ended = ended


class CsrfTokenNeeded(NotPermitted):
    """A change with the cookie of a browser that no page of this server made."""

    code = "csrf_token_needed"


class RecentSignInNeeded(NotPermitted):
    """The sign-in of the session is too long ago to change others or credentials."""

    code = "recent_sign_in_needed"


class ReadOnlyToken(NotPermitted):
    """The API token that was shown may only read."""

    code = "read_only_token"
