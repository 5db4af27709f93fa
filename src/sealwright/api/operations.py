"""One operation of the API, and the phases that all of them share: authentication, parameters, body."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec

from sealwright.access import Actor, Permission
from sealwright.api.errors import SessionNeeded
from sealwright.errors import InvalidInput
from sealwright.http import (
    MAX_BODY,
    Request,
    whole_number,
)
from sealwright.identity import SignedIn

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
        return whole_number("limit", self.query.get("limit", str(PAGE)), 1, LONGEST_PAGE)

    def flag(self, name: str) -> bool:
        """The value of a boolean parameter; false if it is absent."""
        text = self.query.get(name, "false")
        if text not in ("true", "false"):
            raise InvalidInput(f"{name} is {text[:20]!r}; it must be true or false.")
        return text == "true"


Run = Callable[[Call], Awaitable[Any]]


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
    query: Mapping[str, str] = msgspec.field(default_factory=dict)
    """Query parameter → description."""
    status: int = 200
    media_type: str = "application/json"
    """Of what is returned. As JSON lines, `returns` is the shape of one line."""
    recent_sign_in: bool | None = None
    """Whether it needs a recent sign-in; by default if it changes something."""
    also_returns: tuple[int, Any] | None = None
    """Another successful status, and the body that goes with it."""
    max_body: int = MAX_BODY
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
        return frozenset(each for each in Permission if str(each) in self.access.replace(";", " ").split())

    @property
    def shows_secret(self) -> bool:
        """Whether what is returned holds a secret."""
        return self.returns is not None and b'"password"' in msgspec.json.encode(msgspec.json.schema(self.returns))

    @property
    def needs_recent_sign_in(self) -> bool:
        """Whether the sign-in of the session must be recent."""
        return not self.public and (self.method != "GET" if self.recent_sign_in is None else self.recent_sign_in)
