"""The routes of the API."""

from __future__ import annotations

from msgspec import Struct

from sealwright.access import RouteGuard
from sealwright.access.approvals import ApprovalRules, Approvals
from sealwright.api.account_policies import AccountPolicyOperations
from sealwright.api.api_keys import ApiKeyOperations
from sealwright.api.approvals import ApprovalOperations
from sealwright.api.assertion_explanations import AssertionExplanationOperations
from sealwright.api.audit_events import AuditSearch
from sealwright.api.audit_record import AuditOperations
from sealwright.api.audit_sinks import AuditSinkOperations
from sealwright.api.bootstrap import BootstrapOperations
from sealwright.api.certificate_profiles import CertificateProfileOperations
from sealwright.api.certificate_requests import CertificateRequestOperations
from sealwright.api.certificates import CertificateOperations
from sealwright.api.client_images import ClientImageOperations
from sealwright.api.client_maps import ClientMapOperations
from sealwright.api.client_secrets import ClientSecretOperations
from sealwright.api.clients import ClientOperations
from sealwright.api.conditional import object_of, readable_objects
from sealwright.api.dispatch import Dispatch
from sealwright.api.groups import GroupOperations
from sealwright.api.idempotency import IdempotentCalls
from sealwright.api.impacts import ImpactOperations
from sealwright.api.issuers import IssuerOperations
from sealwright.api.links import LinkOperations
from sealwright.api.mail_addresses import MailAddressOperations
from sealwright.api.manifests import ManifestApplication, ManifestOperations, Targets, WithinOneTransaction
from sealwright.api.metrics import MetricsOperations
from sealwright.api.oidc_providers import OidcProviderOperations
from sealwright.api.operations import Operation
from sealwright.api.person_credentials import PersonCredentialOperations
from sealwright.api.person_imports import PersonImportOperations
from sealwright.api.persons import PersonOperations
from sealwright.api.profiles import ProfileOperations
from sealwright.api.provider_sign_ins import ProviderSignInOperations
from sealwright.api.provisioners import ProvisionerOperations
from sealwright.api.recycle_bin import RecycleBinOperations
from sealwright.api.registration_tokens import RegistrationTokenOperations
from sealwright.api.roles import RoleOperations
from sealwright.api.server import ServerFacts, ServerOperations
from sealwright.api.service_accounts import ServiceAccountOperations
from sealwright.api.sessions import SessionOperations
from sealwright.api.sign_in import SignInOperations
from sealwright.api.trusted_issuers import TrustedIssuerOperations
from sealwright.audit import Audit, Checkpoints, Forwarding
from sealwright.audit_targets import AuditTargets
from sealwright.budgets import Budget
from sealwright.ca import Inventory, Issuers, Previews, ProfileRegistry, ProvisionerRegistry, Revocation, Signing
from sealwright.clock import Clock
from sealwright.db import Database
from sealwright.http import Route
from sealwright.identity import (
    BIN_KEPT,
    AccountPolicies,
    ApiAuthenticator,
    ApiKeys,
    ApiTokens,
    Credentials,
    Directory,
    FirstAdministrator,
    Invitations,
    MailAddresses,
    Passkeys,
    PersonImports,
    RecycleBin,
    ResetLinks,
    Roles,
    Sessions,
    SignIn,
    SignInRecords,
    UpstreamProviders,
)
from sealwright.keys import Custody
from sealwright.mail import Outbox
from sealwright.oauth import (
    ApiAccess,
    AssertionExplanations,
    ClientMaps,
    ClientRegistry,
    IssuerRegistry,
    OwnProvider,
    RegistrationTokens,
    StoredMetadata,
    TrustedIssuers,
)
from sealwright.request_counts import RequestCounts


class ApiDependencies(Struct, frozen=True):
    """What the operations call."""

    db: Database
    clock: Clock
    facts: ServerFacts
    directory: Directory
    api_tokens: ApiTokens
    api_keys: ApiKeys
    api_access: ApiAccess
    account_policies: AccountPolicies
    recycle_bin: RecycleBin
    credentials: Credentials
    passkeys: Passkeys
    invitations: Invitations
    imports: PersonImports
    mail_addresses: MailAddresses
    reset_links: ResetLinks
    outbox: Outbox
    sessions: Sessions
    sign_in: SignIn
    first_administrator: FirstAdministrator
    emergencies_by_network: Budget
    roles: Roles
    upstream_providers: UpstreamProviders
    own_provider: OwnProvider
    sign_in_records: SignInRecords
    clients: ClientRegistry
    client_maps: ClientMaps
    oauth_issuers: IssuerRegistry
    registration_tokens: RegistrationTokens
    trusted_issuers: TrustedIssuers
    assertion_explanations: AssertionExplanations
    issuers: Issuers
    profiles: ProfileRegistry
    provisioners: ProvisionerRegistry
    inventory: Inventory
    revocation: Revocation
    signing: Signing
    previews: Previews
    approvals: Approvals
    approval_rules: ApprovalRules
    audit: Audit
    checkpoints: Checkpoints
    forwarding: Forwarding
    custody: Custody
    client_metadata: StoredMetadata
    request_counts: RequestCounts
    within_one_transaction: WithinOneTransaction


def operations(given: ApiDependencies) -> list[Operation]:
    """Every operation of the API."""
    found = [
        *SignInOperations(given.sign_in, given.sessions, given.directory).operations(),
        *SessionOperations(given.sessions, given.directory, authenticator_of(given), given.facts.people_url).operations(),
        *PersonOperations(given.directory, given.credentials, given.clock).operations(),
        *PersonCredentialOperations(given.directory, given.credentials, given.passkeys).operations(),
        *ProfileOperations(given.directory).operations(),
        *MailAddressOperations(given.mail_addresses, given.directory, given.clock).operations(),
        *PersonImportOperations(given.imports).operations(),
        *LinkOperations(given.invitations, given.reset_links, given.outbox, given.facts.people_url).operations(),
        *ServiceAccountOperations(given.directory, given.api_tokens, given.clock).operations(),
        *ApiKeyOperations(given.api_keys, given.directory, given.clock).operations(),
        *GroupOperations(given.directory).operations(),
        *AccountPolicyOperations(given.account_policies).operations(),
        *_sign_on_operations(given),
        *RecycleBinOperations(given.recycle_bin, given.clients.deleted, BIN_KEPT).operations(),
        *RoleOperations(given.roles, given.issuers, given.provisioners, given.profiles).operations(),
        *ClientOperations(given.clients).operations(),
        *IssuerOperations(given.oauth_issuers, given.clients).operations(),
        *RegistrationTokenOperations(given.registration_tokens).operations(),
        *TrustedIssuerOperations(given.trusted_issuers).operations(),
        *AssertionExplanationOperations(given.assertion_explanations).operations(),
        *ClientMapOperations(given.client_maps).operations(),
        *ClientSecretOperations(given.clients).operations(),
        *ClientImageOperations(given.clients.images).operations(),
        *_authority_operations(given),
        *ApprovalOperations(given.approvals, given.approval_rules, given.clock).operations(),
        *ImpactOperations(
            given.directory,
            given.credentials,
            given.clients,
            given.provisioners,
            given.inventory,
        ).operations(),
        *ManifestOperations(
            ManifestApplication(given.db, given.audit, given.custody, given.within_one_transaction),
            Targets(
                directory=given.directory,
                clients=given.clients,
                client_maps=given.client_maps,
                metadata=given.client_metadata,
                profiles=given.profiles,
                provisioners=given.provisioners,
                account_policies=given.account_policies,
                roles=given.roles,
                oauth_issuers=given.oauth_issuers,
                trusted_issuers=given.trusted_issuers,
                clock=given.clock,
            ),
        ).operations(),
        *_watching_operations(given),
    ]
    return [*found, *ServerOperations(given.facts, given.issuers).operations(found)]


def _watching_operations(given: ApiDependencies) -> list[Operation]:
    """What tells of the server itself: the record, where it is forwarded to, and metrics."""
    targets = AuditTargets(given.db, given.directory, given.clients, given.provisioners)
    search = AuditSearch(given.db, given.directory, targets)
    return [
        *AuditOperations(given.db, given.clock, given.directory, given.checkpoints, search, authenticator_of(given)).operations(),
        *AuditSinkOperations(given.forwarding).operations(),
        *_metrics(given).operations(),
    ]


def _authority_operations(given: ApiDependencies) -> list[Operation]:
    certificates = CertificateOperations(
        given.inventory, given.revocation, given.issuers, given.provisioners, given.directory, given.clock
    )
    return [
        *CertificateProfileOperations(given.profiles).operations(),
        *ProvisionerOperations(given.provisioners).operations(),
        *certificates.operations(),
        *CertificateRequestOperations(given.signing, given.previews).operations(),
    ]


def _sign_on_operations(given: ApiDependencies) -> list[Operation]:
    return [
        *BootstrapOperations(given.first_administrator, given.emergencies_by_network).operations(),
        *OidcProviderOperations(given.upstream_providers, given.own_provider).operations(),
        *ProviderSignInOperations(given.sign_in_records).operations(),
    ]


def _metrics(given: ApiDependencies) -> MetricsOperations:
    return MetricsOperations(
        given.db,
        given.clock,
        given.issuers,
        given.checkpoints,
        given.forwarding,
        given.outbox,
        authenticator_of(given),
        given.request_counts,
    )


def authenticator_of(given: ApiDependencies) -> ApiAuthenticator:
    """By which credentials the API is called."""
    return ApiAuthenticator(given.sessions, given.api_tokens, given.api_keys, given.api_access)


def routes(given: ApiDependencies) -> list[Route]:
    """The routes of the API, all on the listener for people."""
    authenticator = authenticator_of(given)
    dispatch = Dispatch(
        authenticator,
        given.sessions,
        RouteGuard(given.db, given.audit),
        given.api_keys,
        IdempotentCalls(given.db, given.clock),
        given.facts.people_url,
    )
    found = operations(given)
    objects = readable_objects(found)
    return [dispatch.route(operation, object_of(operation, objects)) for operation in found]
