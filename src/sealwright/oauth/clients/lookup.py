"""Find a client by its name, or lock it for a change; where there is none, ClientUnknown is raised."""

from __future__ import annotations

from sealwright.client_metadata import is_client_name
from sealwright.db import Database, Transaction
from sealwright.errors import Action, Remedy
from sealwright.oauth.clients import store
from sealwright.oauth.errors import ClientUnknown
from sealwright.oauth.models import Client


async def named(db: Database, name: str) -> Client:
    """The client with a name."""
    client = await store.client_named(db, name) if is_client_name(name) else None
    if client is None:
        raise _unknown(name)
    return client


async def locked(tx: Transaction, client: Client) -> Client:
    """The client as it is stored now; no one else changes it until `tx` ends."""
    found = await store.client_to_change(tx, client.id)
    if found is None:
        raise _unknown(client.name)
    return found


def _unknown(name: str) -> ClientUnknown:
    return ClientUnknown(f"There is no client named {name[:80]!r}.", remedy=Remedy(Action.LIST_CLIENTS))
