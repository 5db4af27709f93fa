"""The parts of the certificate authority, put together."""

from __future__ import annotations

from msgspec import Struct

from sealwright.access.approvals import Approvals
from sealwright.audit import Audit
from sealwright.budgets import Budgets
from sealwright.ca.certificate_lookup import CertificateLookup
from sealwright.ca.holder_status import AccountLookup, HolderChecks
from sealwright.ca.inventory import Inventory
from sealwright.ca.issue import CrashPoints, Issuance, pass_by
from sealwright.ca.issuers import Issuers
from sealwright.ca.lists import CertificateLists
from sealwright.ca.prepare import Preparation
from sealwright.ca.preview import Previews
from sealwright.ca.profiles import ProfileRegistry
from sealwright.ca.provisioners import Audiences, ProvisionerRegistry, ProvisionerTokens, VerifyAccessToken
from sealwright.ca.recovery import Recovery
from sealwright.ca.renew import Renewal
from sealwright.ca.reserved import OwnNames
from sealwright.ca.revoke import Revocation
from sealwright.ca.sign import Signing
from sealwright.ca.step_api import StepApi
from sealwright.clock import Clock
from sealwright.db import Database
from sealwright.entropy import Entropy
from sealwright.http import Route
from sealwright.keys import Custody, Sealer
from sealwright.openid_providers import TrustedProviders


class AuthorityDependencies(Struct, frozen=True):
    """The same few collaborators, handed to each verb by the wiring."""

    db: Database
    clock: Clock
    entropy: Entropy
    audit: Audit
    custody: Custody
    sealer: Sealer
    budgets: Budgets
    approvals: Approvals


class CertificateAuthority(Struct, frozen=True):
    """What other packages use of it, and its addresses."""

    issuers: Issuers
    profiles: ProfileRegistry
    provisioners: ProvisionerRegistry
    issuance: Issuance
    signing: Signing
    previews: Previews
    renewal: Renewal
    revocation: Revocation
    recovery: Recovery
    inventory: Inventory
    lists: CertificateLists
    routes: tuple[Route, ...]


def build_authority(
    dependencies: AuthorityDependencies,
    *,
    providers: TrustedProviders,
    directory: AccountLookup,
    access_tokens: VerifyAccessToken,
    dns_names: tuple[str, ...],
    provisioners: ProvisionerRegistry,
    issuers: Issuers | None = None,
    crash_points: CrashPoints = pass_by,
) -> CertificateAuthority:
    """Build it. `access_tokens`: verifies those of this server; `dns_names`: every name by which clients reach it."""
    db, audit, clock = dependencies.db, dependencies.audit, dependencies.clock
    issuers = issuers or Issuers(db, dependencies.custody, audit, clock, dependencies.entropy)
    approvals = dependencies.approvals
    profiles = ProfileRegistry(db, audit, clock, issuers=issuers, users_of=provisioners.using_profile, approvals=approvals)
    accepted = Audiences(dns_names)
    tokens = ProvisionerTokens(
        provisioners, providers, accepted, clock, person_of=directory.person_of, access_tokens=access_tokens
    )
    preparation = Preparation(dependencies.entropy)
    checks = HolderChecks(directory, provisioners)
    issuance = Issuance(
        db,
        issuers,
        profiles,
        preparation,
        audit,
        clock,
        checks=checks,
        own_names=OwnNames(dns_names),
        approvals=approvals,
        crash_points=crash_points,
    )
    lookup = CertificateLookup(db, issuers, clock)
    signing = Signing(tokens, issuance, dependencies.budgets)
    previews = Previews(db, issuance, issuance.holding, tokens, provisioners, approvals, person_of=directory.person_of)
    renewal = Renewal(issuance, lookup, provisioners, profiles, accepted, clock)
    revocation = Revocation(db, tokens, lookup, audit, clock)
    return CertificateAuthority(
        issuers=issuers,
        profiles=profiles,
        provisioners=provisioners,
        issuance=issuance,
        signing=signing,
        previews=previews,
        renewal=renewal,
        revocation=revocation,
        recovery=Recovery(db, audit, clock),
        inventory=Inventory(db, clock),
        lists=CertificateLists(db, clock),
        routes=tuple(StepApi(db, issuers, provisioners, signing, renewal, revocation, dependencies.budgets).routes()),
    )
