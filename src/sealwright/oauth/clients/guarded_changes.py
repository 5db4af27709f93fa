"""How every change of a client is guarded: who may make it is judged before it, and again in its transaction."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, Protocol

from sealwright.access import Actor
from sealwright.audit import Event
from sealwright.db import Transaction
from sealwright.oauth.models import Client

FindToChange = Callable[[str, Actor], Awaitable[Client]]
"""The client with a name, for anyone who may change it."""
RequireOver = Callable[[Transaction, str, Actor, str], Awaitable[None]]
"""Raises unless the actor may change the client with a name at this moment; the last argument finishes the sentence."""


class WriteChange(Protocol):
    """Runs a change in a transaction of its own; a refusal within it is recorded."""

    def __call__(
        self, client: Client, actor: Actor, body: Callable[[Transaction], Awaitable[Any]], event: Event = ..., /
    ) -> Awaitable[Any]:
        """What `body` returns. `event`: what a refusal is recorded as."""
        ...


class ClientChanges(NamedTuple):
    """The three steps, for the parts of the registry."""

    to_change: FindToChange
    require_over: RequireOver
    write: WriteChange
