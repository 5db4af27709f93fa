"""The cookies of the pages.

``__Host-`` makes the browser insist on Secure, Path=/ and no Domain: no other host, and no plain-HTTP page, can plant or
read them.
"""

from __future__ import annotations

from datetime import timedelta

from sealwright.identity import CSRF_COOKIE, DEVICE_LIFETIME, SESSION_COOKIE

PENDING_COOKIE = "__Host-sealwright_pending"
"""A sign-in that waits for its second factor."""

SIGN_ON_COOKIE = "__Host-sealwright_oidc_pending"
"""Ties what an identity provider answers to the browser in which the sign-in was begun."""

NOTICE_COOKIE = "__Host-sealwright_notice"
"""Which notice the next page shows."""

DEVICE_COOKIE = "__Host-sealwright_device"
"""A device from which someone signed in before. Lax, because an application sends the browser here from another site."""

_ATTRIBUTES = "Path=/; Secure; HttpOnly"


def set_sign_on(token: str, lasts: timedelta) -> tuple[str, str]:
    """For as long as a sign-in at a provider may take. Lax, because the provider sends the browser here from another site."""
    return "set-cookie", f"{SIGN_ON_COOKIE}={token}; {_ATTRIBUTES}; SameSite=Lax; Max-Age={int(lasts.total_seconds())}"


def set_session(token: str) -> tuple[str, str]:
    """Lax, because an application sends the browser here from another site.

    Without an age of its own: it goes when the browser closes, and the server ends the session earlier by its own rules.
    """
    return "set-cookie", f"{SESSION_COOKIE}={token}; {_ATTRIBUTES}; SameSite=Lax"


def set_pending(token: str, lasts: timedelta) -> tuple[str, str]:
    """For as long as the sign-in waits."""
    return "set-cookie", f"{PENDING_COOKIE}={token}; {_ATTRIBUTES}; SameSite=Strict; Max-Age={max(1, int(lasts.total_seconds()))}"


def set_device(token: str) -> tuple[str, str]:
    """For as long as the device is known; each sign-in begins that time anew. It opens nothing, and stays after signing out."""
    return (
        "set-cookie",
        f"{DEVICE_COOKIE}={token}; {_ATTRIBUTES}; SameSite=Lax; Max-Age={DEVICE_LIFETIME // timedelta(seconds=1)}",
    )


def set_csrf_secret(secret: str) -> tuple[str, str]:
    """For this browser, until it closes. Pages of this server can read it, to call the API with the session's cookie."""
    return "set-cookie", f"{CSRF_COOKIE}={secret}; Path=/; Secure; SameSite=Lax"


def set_notice(notice: str) -> tuple[str, str]:
    """For the page that comes next."""
    return "set-cookie", f"{NOTICE_COOKIE}={notice}; {_ATTRIBUTES}; SameSite=Strict; Max-Age=60"


def clear(name: str) -> tuple[str, str]:
    """Delete a cookie."""
    return "set-cookie", f"{name}=; {_ATTRIBUTES}; SameSite=Lax; Max-Age=0"
