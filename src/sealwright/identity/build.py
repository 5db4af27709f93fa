"""Builds the objects of this package."""

from __future__ import annotations

from msgspec import Struct

from sealwright.access import NamedAuthorities
from sealwright.audit import Audit
from sealwright.clock import Clock
from sealwright.db import Database
from sealwright.entropy import Entropy
from sealwright.identity.account_policy.account_policies import AccountPolicies
from sealwright.identity.api_keys.api_keys import ApiKeys
from sealwright.identity.api_tokens.api_tokens import ApiTokens
from sealwright.identity.authenticators import Authenticators
from sealwright.identity.bootstrap import Bootstrap
from sealwright.identity.credential_reset import PersonalCertificates
from sealwright.identity.credentials import Credentials
from sealwright.identity.devices import KnownDevices
from sealwright.identity.directory.authorized_changes import AuthorizedChanges
from sealwright.identity.directory.directory import Directory
from sealwright.identity.directory.lookup import ClientsOfGroup
from sealwright.identity.emergency.break_glass import BreakGlass
from sealwright.identity.emergency.first_administrator import NO_ONE, FirstAdministrator, FirstAdministratorRules
from sealwright.identity.imports.people import PersonImports
from sealwright.identity.invitations import Invitations
from sealwright.identity.mails.addresses import MailAddresses
from sealwright.identity.models import SessionLifetimes
from sealwright.identity.one_time_links import OneTimeLinks
from sealwright.identity.passkeys import Passkeys, RelyingParty
from sealwright.identity.passkeys.challenges import Challenges
from sealwright.identity.passwords import Hashing
from sealwright.identity.recycle_bin.recycle_bin import RecycleBin
from sealwright.identity.reset import ResetLinks
from sealwright.identity.roles.roles import Roles
from sealwright.identity.sessions import SessionEnded, Sessions
from sealwright.identity.sign_in import SignIn
from sealwright.identity.throttle import Throttle
from sealwright.keys import Sealer


class Identity(Struct, frozen=True):
    """What other packages use."""

    devices: KnownDevices
    directory: Directory
    sessions: Sessions
    sign_in: SignIn
    credentials: Credentials
    bootstrap: Bootstrap
    reset_links: ResetLinks
    invitations: Invitations
    passkeys: Passkeys
    roles: Roles
    api_tokens: ApiTokens
    api_keys: ApiKeys
    account_policies: AccountPolicies
    recycle_bin: RecycleBin
    imports: PersonImports
    changes: AuthorizedChanges
    mail_addresses: MailAddresses
    first_administrator: FirstAdministrator
    break_glass: BreakGlass


def build_identity(  # noqa: PLR0913 - what every part of the package needs comes in here once
    db: Database,
    *,
    audit: Audit,
    clock: Clock,
    entropy: Entropy,
    sealer: Sealer,
    hashing: Hashing,
    rules: SessionLifetimes,
    server_name: str,
    origin: str,
    domain: str,
    named: NamedAuthorities,
    clients_of_group: ClientsOfGroup,
    session_ended: SessionEnded,
    certificates: PersonalCertificates,
    edit_own_mail: bool = False,
    first_administrator: FirstAdministratorRules = NO_ONE,
    break_glass: bool = False,
) -> Identity:
    """Build the package's objects.

    `server_name`: shown by authenticator apps; `origin`: of the pages, to which passkeys are bound; `domain`: of SPNs;
    `named`: the names that carry authority elsewhere; `clients_of_group`: which applications a group lets its members use;
    `session_ended`: what else is stored when a session ends; `certificates`: those that people got by signing in here;
    `edit_own_mail`: whether people may change their own mail addresses; `first_administrator`: who may become it without the
    welcome link; `break_glass`: whether its password can be used.
    """
    changes = AuthorizedChanges(db, audit, clock, named)
    sessions = Sessions(db, audit, clock, entropy, rules, session_ended=session_ended)
    devices = KnownDevices(db, clock, entropy)
    authenticators = Authenticators(db, clock, sealer, hashing, Throttle(db, clock), devices)
    shared = (db, audit, clock, entropy)
    credentials = Credentials(
        *shared, authenticators, sessions, changes=changes, certificates=certificates, server_name=server_name, domain=domain
    )
    directory = Directory(db, audit, clock, entropy, sessions, changes=changes, clients_of_group=clients_of_group, domain=domain)
    challenges, party = Challenges(clock, entropy, sealer), RelyingParty(server_name, origin)
    links = OneTimeLinks(db, clock, entropy, changes)
    return Identity(
        devices=devices,
        directory=directory,
        sessions=sessions,
        sign_in=SignIn(db, audit, clock, entropy, authenticators, sessions, devices, domain=domain),
        credentials=credentials,
        bootstrap=Bootstrap(db, audit, clock, entropy, credentials, sessions, devices),
        invitations=Invitations(audit, links, directory, credentials, sessions, devices, changes),
        reset_links=ResetLinks(audit, links, directory, credentials, devices, changes),
        passkeys=Passkeys(db, audit, clock, entropy, challenges, sessions, devices, party=party, domain=domain),
        roles=Roles(db, audit, clock, entropy, changes=changes, domain=domain),
        account_policies=AccountPolicies(db, audit, directory, changes),
        recycle_bin=RecycleBin(db, audit, clock, changes, domain=domain),
        api_tokens=ApiTokens(db, audit, clock, entropy, directory, changes),
        api_keys=ApiKeys(db, audit, clock, entropy, changes),
        mail_addresses=MailAddresses(*shared, changes, domain=domain, edit_own=edit_own_mail),
        imports=PersonImports(db, audit, clock, entropy, sealer, changes),
        changes=changes,
        first_administrator=FirstAdministrator(*shared, first_administrator),
        break_glass=BreakGlass(*shared, hashing, sessions, enabled=break_glass),
    )
