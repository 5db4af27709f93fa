"""What the pages use."""

from __future__ import annotations

from msgspec import Struct

from sealwright.access import RouteGuard
from sealwright.access.approvals import Approvals
from sealwright.audit import Audit, Forwarding
from sealwright.budgets import Budget
from sealwright.ca import CertificateLists, Inventory, Issuers, Previews, ProfileRegistry, ProvisionerRegistry, Revocation
from sealwright.db import Database
from sealwright.identity import (
    AccountPolicies,
    ApiKeys,
    ApiTokens,
    BackChannelLogout,
    Bootstrap,
    BreakGlass,
    Credentials,
    Directory,
    Invitations,
    KnownDevices,
    MailAddresses,
    Passkeys,
    RecycleBin,
    ResetLinks,
    Roles,
    Sessions,
    SignIn,
    SignInRecords,
    UpstreamProviders,
    UpstreamSignOn,
)
from sealwright.mail import Outbox
from sealwright.oauth import (
    AssertionExplanations,
    AuthorizationEndpoint,
    BackchannelLogout,
    ClientImages,
    ClientRegistry,
    Consents,
    LogoutEndpoint,
    StepResponse,
    TrustedIssuers,
)
from sealwright.settings import Settings


class WebDependencies(Struct, frozen=True):
    """What the pages use; the wiring passes it."""

    sign_in: SignIn
    sessions: Sessions
    guard: RouteGuard
    devices: KnownDevices
    credentials: Credentials
    directory: Directory
    roles: Roles
    account_policies: AccountPolicies
    recycle_bin: RecycleBin
    api_tokens: ApiTokens
    api_keys: ApiKeys
    bootstrap: Bootstrap
    reset_links: ResetLinks
    invitations: Invitations
    passkeys: Passkeys
    upstream_providers: UpstreamProviders
    sign_on: UpstreamSignOn
    upstream_logout: BackChannelLogout
    break_glass: BreakGlass
    emergencies_by_network: Budget
    sign_in_records: SignInRecords
    sign_ons_by_network: Budget
    mail_addresses: MailAddresses
    outbox: Outbox
    authorization: AuthorizationEndpoint
    step_response: StepResponse
    logout: LogoutEndpoint
    backchannel_logout: BackchannelLogout
    consents: Consents
    client_images: ClientImages
    clients: ClientRegistry
    trusted_issuers: TrustedIssuers
    assertion_explanations: AssertionExplanations
    inventory: Inventory
    revocation: Revocation
    previews: Previews
    approvals: Approvals
    issuers: Issuers
    certificate_lists: CertificateLists
    profiles: ProfileRegistry
    provisioners: ProvisionerRegistry
    audit: Audit
    forwarding: Forwarding
    db: Database
    settings: Settings
    machines_url: str
