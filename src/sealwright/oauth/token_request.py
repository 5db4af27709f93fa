"""A request that a client sends by itself: to the token, introspection or revocation endpoint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sealwright.http import Peer
from sealwright.oauth.confirmation import Confirmation
from sealwright.oauth.errors import MalformedTokenRequest


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """What a client can prove itself by: the form, the headers, and the connection with its certificate."""

    form: Mapping[str, str] = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    """Names in lower case."""
    peer: Peer
    resources: tuple[str, ...] = ()
    """Each `resource` of the form (RFC 8707)."""
    path: str = ""
    """At which it was sent."""
    confirmation: Confirmation | None = None
    """What the tokens are to be bound to, once the client has authenticated."""

    def required(self, name: str) -> str:
        """A parameter that must be there; an empty one is not (RFC 6749, section 3.2)."""
        value = self.form.get(name)
        if not value:
            raise MalformedTokenRequest(f"The parameter {name!r} is missing.")
        return value

    def optional(self, name: str) -> str | None:
        """A parameter that may be left out; an empty one counts as left out."""
        return self.form.get(name) or None
