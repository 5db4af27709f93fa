"""One operation of the API, and the phases that all of them share: authentication, parameters, body."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from functools import cache
from typing import Any

import msgspec

from sealwright.access import Actor, Permission
from sealwright.api.errors import SessionNeeded
from sealwright.http import MAX_BODY, Request
from sealwright.identity import SignedIn
from sealwright.oauth import LONGEST_OVERLAP

PREFIX = "/api/v1"
OWN = "signed in: what is one's own"
"""The access of operations on the caller's own data."""
EACH = "signed in: each change needs the permission of its own kind"
"""The access of operations on objects of several kinds."""
EVEN_IF_USED = {
    "even_if_used": "true: delete it although clients or provisioners use it. Without it, these are named and nothing is done."
}
"""The query parameter that confirms the deletion of something in use."""
PAGE = 100
LONGEST_PAGE = 1_000
LARGE_BODY = 1024 * 1024
"""Bytes."""
LONGEST_FOLLOWED = 15
"""Seconds after which a stream of new events ends, so that a server that stops need not wait for its readers."""
_FLAG: Mapping[str, Any] = {"type": "boolean", "default": False}
QUERY_SCHEMAS: Mapping[str, Mapping[str, Any]] = {
    "all": _FLAG,
    "dry_run": _FLAG,
    "end_sessions": _FLAG,
    "even_if_used": _FLAG,
    "except": {"type": "string", "enum": ["current"]},
    "limit": {"type": "integer", "minimum": 1, "maximum": LONGEST_PAGE, "default": PAGE},
    "overlap_seconds": {"type": "integer", "minimum": 0, "maximum": LONGEST_OVERLAP // timedelta(seconds=1)},
    "seconds": {"type": "integer", "minimum": 0, "maximum": LONGEST_FOLLOWED},
}
"""What a query parameter of this name looks like, wherever it is taken; every other one is a text."""


class Call(msgspec.Struct, frozen=True):
    """One call, with the results of the shared phases."""

    request: Request
    signed_in: SignedIn | None
    body: Any
    query: Mapping[str, str]

    @property
    def caller(self) -> SignedIn:
        """The authenticated caller. Only for operations that are not public."""
        if self.signed_in is None:
            raise SessionNeeded("This needs a session.")
        return self.signed_in

    @property
    def actor(self) -> Actor:
        """The actor of the call."""
        return self.caller.actor

    def path(self, name: str) -> str:
        """A parameter of the path."""
        return self.request.path_parameters[name]

    def limit(self) -> int:
        """The page size that was asked for."""
        return int(self.query.get("limit", PAGE))

    def flag(self, name: str) -> bool:
        """The value of a boolean parameter; false if it is absent."""
        return self.query.get(name) == "true"


Run = Callable[[Call], Awaitable[Any]]
Owns = Callable[[Actor, Mapping[str, str]], Awaitable[bool]]
"""Whether what the parameters of the path name is the caller's own."""


class Operation(msgspec.Struct, frozen=True):
    """One operation: its route, access, parameters and bodies. Routes and the OpenAPI document are made from these."""

    name: str
    method: str
    path: str
    """Below the prefix."""
    summary: str
    access: str
    """A permission, which is asked for before anything else; or `OWN`, `EACH`, or ``public: reason``, where `run` decides."""
    run: Run
    returns: Any = None
    accepts: Any = None
    owns: Owns | None = None
    """Of what is one's own or others': asked before the body is read, where the caller lacks the permission for others."""
    query: Mapping[str, str] = msgspec.field(default_factory=dict)
    """Query parameter → description."""
    required_query: tuple[str, ...] = ()
    """Those of them that have to be given."""
    status: int = 200
    media_type: str = "application/json"
    """Of what is returned. As JSON lines, `returns` is the shape of one line."""
    changes_nothing: bool = False
    """Whether it is a POST only for what it is given: a second call does no harm, so the first is not kept to tell them apart."""
    recent_sign_in: bool | None = None
    """Whether it needs a recent sign-in; by default if it changes something."""
    also_returns: tuple[int, Any] | None = None
    """Another successful status, and the body that goes with it."""
    also_refused: tuple[int, ...] = ()
    """Statuses of problem documents beside those that every operation of its kind has."""
    max_body: int = MAX_BODY
    large_body_needs: Permission | None = None
    """What one has to hold to send more than `LARGE_BODY`, which keeps others waiting while it is read."""
    prefix: str = PREFIX

    @property
    def whole_path(self) -> str:
        """The path of its route."""
        return self.prefix + self.path

    @property
    def public(self) -> bool:
        """Whether the operation needs no authentication."""
        return self.access.startswith("public:")

    @property
    def permissions(self) -> frozenset[Permission]:
        """The permissions that the access names: of what is one's own or others', that for others."""
        return _permissions_in(self.access)

    @property
    def shows_secret(self) -> bool:
        """Whether what is returned holds a secret."""
        return self.returns is not None and _holds_secret(self.returns)

    @property
    def needs_recent_sign_in(self) -> bool:
        """Whether the sign-in of the session must be recent."""
        return not self.public and (self.method != "GET" if self.recent_sign_in is None else self.recent_sign_in)


@cache
def _holds_secret(shape: Any) -> bool:
    """Kept for each shape: the schema of one takes longer than most calls."""
    return b'"password"' in msgspec.json.encode(msgspec.json.schema(shape))


@cache
def _permissions_in(access: str) -> frozenset[Permission]:
    """Kept for each text, of which there are as many as there are routes: it is asked for at every call by a key."""
    words = access.replace(";", " ").split()
    return frozenset(each for each in Permission if str(each) in words)
