"""The parts of the certificate authority, put together."""

from __future__ import annotations

from msgspec import Struct

from sealwright.audit import Audit
from sealwright.budgets import Budgets
from sealwright.ca.inventory import Inventory
from sealwright.ca.issue import CrashPoints, Issuance, pass_by
from sealwright.ca.issuers import Issuers
from sealwright.ca.prepare import Preparation
from sealwright.ca.profiles import BUILT_IN
from sealwright.ca.provisioners import Audiences, Provisioners, ProvisionerTokens
from sealwright.ca.recognise import Recognition
from sealwright.ca.recovery import Recovery
from sealwright.ca.renew import Renewal
from sealwright.ca.reserved import OwnNames
from sealwright.ca.revoke import Revocation
from sealwright.ca.sign import Signing
from sealwright.ca.standing import Directory, StandingChecks
from sealwright.ca.step_api import StepApi
from sealwright.clock import Clock
from sealwright.db import Database
from sealwright.entropy import Entropy
from sealwright.http import Route
from sealwright.keys import Custody, Sealer
from sealwright.openid_providers import TrustedProviders


class Foundation(Struct, frozen=True):
    """The same few collaborators, handed to each verb by the wiring."""

    db: Database
    clock: Clock
    entropy: Entropy
    audit: Audit
    custody: Custody
    sealer: Sealer
    budgets: Budgets


class CertificateAuthority(Struct, frozen=True):
    """What other packages use of it, and its addresses."""

    issuers: Issuers
    provisioners: Provisioners
    issuance: Issuance
    signing: Signing
    renewal: Renewal
    revocation: Revocation
    recovery: Recovery
    inventory: Inventory
    routes: tuple[Route, ...]


def assemble(
    foundation: Foundation,
    *,
    providers: TrustedProviders,
    directory: Directory,
    dns_names: tuple[str, ...],
    provisioners: Provisioners,
    crash_points: CrashPoints = pass_by,
) -> CertificateAuthority:
    """Build it. `dns_names`: every name by which clients reach it; `provisioners`: those there are."""
    db, audit, clock = foundation.db, foundation.audit, foundation.clock
    issuers = Issuers(db, foundation.custody, audit, clock, foundation.entropy)
    accepted = Audiences(dns_names)
    tokens = ProvisionerTokens(provisioners, providers, accepted, clock, person_of=directory.person_of)
    preparation = Preparation(foundation.entropy)
    checks = StandingChecks(directory, provisioners)
    issuance = Issuance(
        db, issuers, BUILT_IN, preparation, audit, clock, checks=checks, own_names=OwnNames(dns_names), crash_points=crash_points
    )
    recognition = Recognition(db, issuers, clock)
    signing = Signing(tokens, issuance, foundation.budgets)
    renewal = Renewal(issuance, recognition, provisioners, BUILT_IN, accepted, clock)
    revocation = Revocation(db, tokens, recognition, audit, clock)
    return CertificateAuthority(
        issuers=issuers,
        provisioners=provisioners,
        issuance=issuance,
        signing=signing,
        renewal=renewal,
        revocation=revocation,
        recovery=Recovery(db, audit, clock),
        inventory=Inventory(db, clock),
        routes=tuple(StepApi(db, issuers, provisioners, signing, renewal, revocation, foundation.budgets).routes()),
    )
