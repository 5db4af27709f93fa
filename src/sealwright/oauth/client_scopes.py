"""The scopes of a token that speaks of a client itself (RFC 6749, section 4.4)."""

from __future__ import annotations

from sealwright.db import Database
from sealwright.oauth import policy, store
from sealwright.oauth.claims import CLAIMS_OF_SCOPE
from sealwright.oauth.models import Client


async def scopes_of_client(db: Database, client: Client) -> frozenset[str]:
    """Those that the maps of the client name, for whatever group; those that tell of a person mean nothing here."""
    maps = await store.scopes_by_group(db, client.id)
    return policy.available_scopes(maps, maps) - set(CLAIMS_OF_SCOPE) - policy.PROTOCOL_SCOPES
