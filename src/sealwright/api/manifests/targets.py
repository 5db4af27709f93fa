"""The operations that a manifest is applied with: those of the API, all within one transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct

from sealwright.audit import PostponedRefusals
from sealwright.ca import ProfileRegistry, ProvisionerRegistry
from sealwright.clock import Clock
from sealwright.db import Transaction
from sealwright.identity import AccountPolicies, Directory, Roles
from sealwright.jose import PrivateKey
from sealwright.keys import PreparedCustody
from sealwright.oauth import ClientMaps, ClientRegistry, IssuerRegistry, StoredMetadata, TrustedIssuers


class Targets(Struct, frozen=True):
    """What reads and changes each kind."""

    directory: Directory
    clients: ClientRegistry
    client_maps: ClientMaps
    metadata: StoredMetadata
    profiles: ProfileRegistry
    provisioners: ProvisionerRegistry
    account_policies: AccountPolicies
    roles: Roles
    oauth_issuers: IssuerRegistry
    trusted_issuers: TrustedIssuers
    clock: Clock


class TransactionTargets(Struct, frozen=True):
    """The same within one transaction."""

    targets: Targets
    custody: PreparedCustody
    refusals: PostponedRefusals


WithinOneTransaction = Callable[[Transaction, Sequence[PrivateKey]], TransactionTargets]
"""Makes them, with RSA keys for clients that need some."""
