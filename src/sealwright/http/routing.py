"""Routes: a path on one or more listeners, its handler, who may call it, and the wire that words its failures."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from enum import StrEnum

import msgspec

from sealwright.http.messages import Request, Response

MAX_BODY = 65_536

FailureAnswer = Callable[[Request, Exception], Response]
"""Turns a failure into an answer on one wire. What is not a `Failure` becomes a 500 that tells only the request id."""

Handler = Callable[[Request], Awaitable[Response]]


class Listener(StrEnum):
    """The addresses that a server listens on."""

    PEOPLE = "people"
    MACHINES = "machines"
    STATUS = "status"


class Wire(StrEnum):
    """The error format of a route; each has one table from exception class to response."""

    PAGE = "page"  # HTML for people
    OAUTH = "oauth"  # RFC 6749, section 5.2 and RFC 6750
    STEP = "step"  # {"status", "message"}
    API = "api"  # RFC 9457


class Route(msgspec.Struct, frozen=True):
    """One path on one or more listeners.

    `path` may hold ``{name}`` for one segment or ``{name:path}`` for the rest. `access` is the permission that the handler
    asks for (``certificate:revoke``) or, starting with "public:", the reason why none is needed. `max_body` is
    in bytes; a longer body is answered 413 before it is read whole. `same_for` says how long the answer to a GET may be given
    again to anyone who asks for the same address under the same host name: only where it depends on nothing else.
    """

    method: str
    path: str
    handler: Handler
    listeners: frozenset[Listener]
    access: str
    wire: Wire
    max_body: int = MAX_BODY
    same_for: timedelta = timedelta()
