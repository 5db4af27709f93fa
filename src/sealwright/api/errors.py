"""Requests that the API refuses before their operation runs."""

from __future__ import annotations

from sealwright.errors import InvalidInput, NotPermitted, NotSignedIn


class WrongContentType(InvalidInput):
    """The body is not JSON."""

    code = "wrong_content_type"


class SessionNeeded(NotSignedIn):
    """The request has no session that is good for the API."""

    code = "session_needed"


class RecentSignInNeeded(NotPermitted):
    """The sign-in of the session is too long ago to change others or credentials."""

    code = "recent_sign_in_needed"


class ReadOnlyToken(NotPermitted):
    """The API token that was shown may only read."""

    code = "read_only_token"
