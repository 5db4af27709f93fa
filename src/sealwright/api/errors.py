"""What the API itself refuses, before a verb is reached."""

from __future__ import annotations

from sealwright.errors import InvalidInput, NotSignedIn


class WrongContentType(InvalidInput):
    """The body is not JSON."""

    code = "wrong_content_type"


class SessionNeeded(NotSignedIn):
    """No session, or one that has ended, or one that is not for the API."""

    code = "session_needed"
