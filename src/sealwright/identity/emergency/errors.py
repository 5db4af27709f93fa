"""Refusals of the ways in that are for emergencies."""

from __future__ import annotations

from sealwright.errors import NotFound, NotPermitted, Refused


class BootstrapClosed(Refused):
    """The first administrator is not made by a token: none is set, it was used, or someone administers the server already."""

    code = "bootstrap_closed"


class BootstrapTokenRefused(NotPermitted):
    """The bootstrap token is not the one that the server was started with."""

    code = "bootstrap_token_refused"


class BreakGlassOff(NotFound):
    """The break-glass password is switched off."""

    code = "break_glass_off"


class BreakGlassRefused(NotPermitted):
    """The break-glass password is wrong, or none is set."""

    code = "break_glass_refused"
