"""The operations of the API within one transaction, for what changes all of a manifest or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from sealwright import api, oauth
from sealwright.app.dependencies import build_people
from sealwright.app.named import everything_named
from sealwright.audit import PostponedRefusals
from sealwright.db import Transaction, WithinTransaction
from sealwright.http import Listener
from sealwright.jose import PrivateKey
from sealwright.keys import PreparedCustody

if TYPE_CHECKING:
    from sealwright.app.wiring import Parts


def within_one_transaction(parts: Parts, tx: Transaction, keys: Sequence[PrivateKey]) -> api.TransactionTargets:
    """The same operations as those of `parts`; they read and write in `tx` and keep nothing beyond it."""
    around = parts.around
    db, refusals = WithinTransaction(tx), PostponedRefusals(around.clock)
    custody = PreparedCustody(db, around.sealer, around.clock, list(keys))
    provisioners = parts.ca.provisioners.within(db, refusals)
    profiles = parts.ca.profiles.within(db, refusals, provisioners.using_profile)
    named = everything_named(provisioners, parts.urls[Listener.PEOPLE])
    people = build_people(
        replace(around, db=db, custody=custody),
        refusals,
        named,
        oauth.clients_of_group,
        oauth.queue_logout_tokens,
        origin=parts.urls[Listener.PEOPLE],
    )
    dependencies = replace(parts.oauth_dependencies, db=db, audit=refusals)
    clients = oauth.ClientRegistry(
        dependencies,
        custody=custody,
        sealer=around.sealer,
        directory=people.directory,
        named=named,
    )
    lookups = oauth.IdentityLookups(people.directory, people.sessions, people.api_tokens, people.changes)
    targets = api.Targets(
        directory=people.directory,
        clients=clients,
        client_maps=oauth.ClientMaps(clients, people.directory),
        metadata=oauth.StoredMetadata(dependencies),
        profiles=profiles,
        provisioners=provisioners,
        account_policies=people.account_policies,
        roles=people.roles,
        oauth_issuers=oauth.IssuerRegistry(dependencies, custody),
        trusted_issuers=oauth.TrustedIssuers(dependencies, lookups, named),
        clock=around.clock,
    )
    return api.TransactionTargets(targets, custody, refusals)
