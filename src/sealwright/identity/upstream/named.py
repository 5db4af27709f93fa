"""Names of this server that carry authority because it is its own identity provider: who holds them gets mapped roles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sealwright.access import NamedAuthority, NameKind, Permission
from sealwright.db import Database, Transaction
from sealwright.identity.roles.roles import find_role
from sealwright.identity.upstream import store
from sealwright.identity.upstream.models import UpstreamProvider
from sealwright.openid_providers import origin_of

_GROUPS = "groups"


async def named_by_own_providers(reader: Database | Transaction, origin: str) -> Sequence[NamedAuthority]:
    """What the mappings of providers whose issuer is at `origin` name, and the clients whose ID tokens they read."""
    found: list[NamedAuthority] = []
    for provider in await store.all_providers(reader):
        if origin_of(provider.issuer_url) == origin_of(origin):
            found += await _named_by(reader, provider)
    return found


async def _named_by(reader: Database | Transaction, provider: UpstreamProvider) -> list[NamedAuthority]:
    who = f"the identity provider {provider.name}"
    found: list[NamedAuthority] = []
    conferred: frozenset[Permission] = frozenset()
    for mapping in await store.mappings_of(reader, provider.id):
        role = await find_role(reader, mapping.role)
        conferred |= role.permissions
        found += (NamedAuthority(who, "its mappings", kind, name, role.permissions) for kind, name in _meant(mapping.group_name))
    found.append(NamedAuthority(who, "client_id", NameKind.CLIENT, provider.client_id, conferred))
    if provider.groups_claim_path != _GROUPS:  # a claim of the client, whose values other groups may give
        claims = {provider.groups_claim_path, provider.groups_claim_path.partition(".")[0]}
        found += (
            NamedAuthority(who, "groups_claim_path", NameKind.GROUP_ID, group_id, conferred)
            for group_id in await store.groups_with_claims(reader, provider.client_id, claims)
        )
    return found


def _meant(group: str) -> Iterator[tuple[NameKind, str]]:
    """A token says the name of a group, its name with the domain, or its id, as the scopes of the client have it."""
    yield NameKind.GROUP_NAME, group
    yield NameKind.GROUP_ID, group
    if "@" in group:
        yield NameKind.GROUP_NAME, group.rpartition("@")[0]
