"""Whether a browser says that a request comes from a page of another site. A program says nothing about that."""

from __future__ import annotations

from sealwright.http.messages import Request


def foreign_sender(request: Request, public_origin: str) -> str:
    """Where the browser says the request comes from, if that is not here; empty where it is, or nothing is said."""
    origin = request.headers.get("origin")
    if origin is not None and origin not in (public_origin, request.origin):
        return origin[:200] or "a page that has no origin"
    site = request.headers.get("sec-fetch-site")
    return "another site" if site is not None and site not in ("same-origin", "none") else ""
