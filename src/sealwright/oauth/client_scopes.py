"""The scopes of a token that speaks of a client itself (RFC 6749, section 4.4)."""

from __future__ import annotations

from sealwright.db import Database
from sealwright.oauth import policy, store
from sealwright.oauth.claims import CLAIMS_OF_SCOPE
from sealwright.oauth.models import Client


async def scopes_of_client(db: Database, client: Client) -> frozenset[str]:
    """Those that the maps of the client give: to its own groups alone where it is so set, else to whatever group.

    Those that tell of a person mean nothing here.
    """
    if client.own_groups_only:
        maps = await store.scope_maps(db, client.id)
        held = frozenset(scope for each in maps if each.group_name in client.own_groups for scope in each.scopes)
    else:
        by_group = await store.scopes_by_group(db, client.id)
        held = policy.available_scopes(by_group, by_group)
    return held - set(CLAIMS_OF_SCOPE) - policy.PROTOCOL_SCOPES
