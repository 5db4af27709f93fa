"""Errors of authority."""

from __future__ import annotations

from sealwright.errors import NotPermitted


class BeyondOwnAuthority(NotPermitted):
    """The change would give or take permissions that the actor does not hold."""

    code = "beyond_own_authority"
