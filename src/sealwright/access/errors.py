"""Errors of authority."""

from __future__ import annotations

from sealwright.errors import NotPermitted


class PersonNeeded(NotPermitted):
    """An API key or an access token was shown where only someone who is signed in may do this."""

    code = "person_needed"


class BeyondOwnAuthority(NotPermitted):
    """The change would give or take permissions that the actor does not hold."""

    code = "beyond_own_authority"
