"""Calls with the cookie of a browser: only a page of this server may make changes by them.

Two independent checks: where the browser says that the request comes from, and a header that repeats a cookie which no other
site can read (double submit). Tokens in the Authorization header need neither, because no browser sends them by itself.
"""

from __future__ import annotations

import hmac

from sealwright.api.errors import CsrfTokenNeeded
from sealwright.http import Request, foreign_sender
from sealwright.identity import CSRF_COOKIE

CSRF_HEADER = "x-csrf-token"


def check_cookie_caller(request: Request, public_origin: str) -> None:
    """Raise CsrfTokenNeeded unless a page of this server sent a change that is authenticated by a cookie."""
    if request.bearer() is not None or request.method in ("GET", "HEAD", "OPTIONS"):
        return
    sender = foreign_sender(request, public_origin)
    if sender:
        raise CsrfTokenNeeded(
            f"The request was sent from {sender!r}, and not from a page of this server.",
            hint="Call the API from a page of this server, or with a token in the Authorization header.",
        )
    held, given = request.cookie(CSRF_COOKIE) or "", request.headers.get(CSRF_HEADER, "")
    if not held or not hmac.compare_digest(held.encode(), given.encode()):
        raise CsrfTokenNeeded(
            f"The header X-CSRF-Token does not repeat the cookie {CSRF_COOKIE}.",
            hint="Read the cookie in the page and send its value in the header.",
        )
