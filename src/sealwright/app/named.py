"""Every name of this server that carries authority elsewhere: by a provisioner, or by this server as an identity provider."""

from __future__ import annotations

from collections.abc import Sequence

from sealwright import ca, identity
from sealwright.access import NamedAuthorities, NamedAuthority
from sealwright.db import Database, Transaction


def everything_named(provisioners: ca.ProvisionerRegistry, origin: str) -> NamedAuthorities:
    """What reads them at a moment. `origin`: of the pages, where the issuers of this server are."""

    async def named(reader: Database | Transaction) -> Sequence[NamedAuthority]:
        return [*await provisioners.named_authority(reader), *await identity.named_by_own_providers(reader, origin)]

    return named
