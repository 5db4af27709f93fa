"""What every grant type ends with: leave to make tokens."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from sealwright.entropy import Entropy, token, uuid4
from sealwright.identity import Group
from sealwright.oauth.errors import MalformedTokenRequest
from sealwright.oauth.families import Holder
from sealwright.oauth.models import Family


@dataclass(frozen=True, slots=True)
class Granted:
    """Leave to make tokens, once what was presented is used up and this is on record."""

    family: Family
    holder: Holder
    scopes: tuple[str, ...]
    refresh_token: str = field(repr=False)
    access_token_id: str
    id_token_id: str
    nonce: str | None = None
    groups: tuple[Group, ...] | None = None
    """The person's groups, where they were asked for on the way."""


Fit = Callable[[Granted], Awaitable[Granted]]
"""Raises TokenRequestRefused where the tokens cannot be made: asked before anything is used up."""


def draw(
    entropy: Entropy,
    family: Family,
    holder: Holder,
    scopes: tuple[str, ...],
    *,
    nonce: str | None = None,
    groups: tuple[Group, ...] | None = None,
) -> Granted:
    """A grant with fresh identifiers."""
    return Granted(family, holder, scopes, token(entropy), uuid4(entropy), uuid4(entropy), nonce, groups)


def require_parameter(form: Mapping[str, str], name: str) -> str:
    """A parameter that must be there; an empty one is not (RFC 6749, section 3.2)."""
    value = form.get(name)
    if not value:
        raise MalformedTokenRequest(f"The parameter {name!r} is missing.")
    return value
