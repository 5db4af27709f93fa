"""What is set on clients, without the defaults that hold where nothing is set: for code that compares or copies them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sealwright.access import Actor, Permission, require
from sealwright.client_metadata import ClientMetadata, is_client_name, profile_members, rows
from sealwright.oauth.clients import store
from sealwright.oauth.clients.changes import with_members
from sealwright.oauth.dependencies import OAuthDependencies
from sealwright.oauth.models import Client


class StoredMetadata:
    """Reads it."""

    def __init__(self, dependencies: OAuthDependencies) -> None:
        self._db = dependencies.db

    async def of(self, name: str, *, actor: Actor) -> Client | None:
        """That of one client; None where there is no such client."""
        require(actor, Permission.CLIENT_READ)
        return await store.client_named(self._db, name) if is_client_name(name) else None

    async def page(self, after: str, at_most: int, *, actor: Actor) -> list[ClientMetadata]:
        """That of clients whose names come after `after`, by name."""
        require(actor, Permission.CLIENT_READ)
        return list(await store.clients(self._db, after, at_most))


def set_members(client: ClientMetadata) -> dict[str, Any]:
    """The members that differ from what a new client of the same kind and profile has."""
    usual = {name: row.default for name, row in rows().items()} | profile_members(client.profile, public=client.is_public)
    values = {name: getattr(client, name) for name in rows()}
    return {name: value for name, value in values.items() if value != usual[name] or rows()[name].required}


def differences(client: ClientMetadata, members: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """What setting these members would change: member → what it is, and what it would be. Raises ClientRefused."""
    changed = with_members(client, members)
    both = {name: (getattr(client, name), getattr(changed, name)) for name in rows()}
    return {name: (before, after) for name, (before, after) in both.items() if before != after}
