"""The routes of the API."""

from __future__ import annotations

from msgspec import Struct

from sealwright.api.about import About, ServerFacts
from sealwright.api.audit_trail import AuditTrail
from sealwright.api.certificates import Certificates
from sealwright.api.clients import Clients
from sealwright.api.groups import Groups
from sealwright.api.impacts import Impacts
from sealwright.api.links import Links
from sealwright.api.operations import Dispatch, Operation
from sealwright.api.persons import Persons
from sealwright.api.provisioners import Provisioners
from sealwright.api.sessions import SessionList
from sealwright.api.sign_in import SigningIn
from sealwright.ca import Inventory, Issuers, ProvisionerRegistry, Revocation
from sealwright.clock import Clock
from sealwright.db import Database
from sealwright.http import Route
from sealwright.identity import Credentials, Directory, Invitations, ResetLinks, Sessions, SignIn
from sealwright.mail import Outbox
from sealwright.oauth import Clients as ClientRegistry


class Domain(Struct, frozen=True):
    """Everything that the API speaks for."""

    db: Database
    clock: Clock
    facts: ServerFacts
    directory: Directory
    credentials: Credentials
    invitations: Invitations
    reset_links: ResetLinks
    outbox: Outbox
    sessions: Sessions
    sign_in: SignIn
    clients: ClientRegistry
    issuers: Issuers
    provisioners: ProvisionerRegistry
    inventory: Inventory
    revocation: Revocation


def operations(domain: Domain) -> list[Operation]:
    """Everything that can be done here."""
    found = [
        *SigningIn(domain.sign_in, domain.sessions, domain.directory).operations(),
        *SessionList(domain.sessions, domain.directory).operations(),
        *Persons(domain.directory, domain.credentials, domain.clock).operations(),
        *Links(domain.invitations, domain.reset_links, domain.outbox, domain.facts.people_url).operations(),
        *Groups(domain.directory).operations(),
        *Clients(domain.clients).operations(),
        *Provisioners(domain.provisioners).operations(),
        *Certificates(
            domain.inventory, domain.revocation, domain.issuers, domain.provisioners, domain.directory, domain.clock
        ).operations(),
        *Impacts(domain.directory, domain.credentials, domain.clients, domain.provisioners, domain.inventory).operations(),
        *AuditTrail(domain.db, domain.directory, domain.clients, domain.provisioners).operations(),
    ]
    return [*found, *About(domain.facts, domain.issuers).operations(found)]


def routes(domain: Domain) -> list[Route]:
    """The routes of the API, all on the listener for people."""
    dispatch = Dispatch(domain.sessions)
    return [dispatch.route(operation) for operation in operations(domain)]
