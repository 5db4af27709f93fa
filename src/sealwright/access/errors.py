"""What is refused for lack of authority, by name."""

from __future__ import annotations

from sealwright.errors import NotPermitted


class BeyondOwnAuthority(NotPermitted):
    """The change would touch permissions that the actor does not hold."""

    code = "beyond_own_authority"
