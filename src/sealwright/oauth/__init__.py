"""The authorization server: OAuth 2.0 and OpenID Connect, an issuer for each client, or one that clients share.

Owns: clients, authorization requests, consents, codes, refresh tokens, and what their tokens say. Never knows how a person
signs in, and never draws a page.
"""

from __future__ import annotations

from sealwright.client_metadata import ClientKind, ClientRefused
from sealwright.oauth.api_access import ApiAccess
from sealwright.oauth.authorization_server import AuthorizationServer, build_authorization_server
from sealwright.oauth.authorize import AuthorizationEndpoint
from sealwright.oauth.browser_http import (
    CHOOSE_ACCOUNT_PAGE,
    CONSENT_PAGE,
    CONTINUE_PATH,
    LOGOUT_PAGE,
    NOT_ALLOWED_PAGE,
    SIGN_IN_PAGE,
    FormPostPage,
    StepResponse,
    step_responses,
)
from sealwright.oauth.certificate_access import client_name_of
from sealwright.oauth.clients.as_stored import StoredMetadata, differences, set_members
from sealwright.oauth.clients.images import ClientImages, ReadImage, read_whole
from sealwright.oauth.clients.maps import ClientMaps
from sealwright.oauth.clients.registry import ClientRegistry
from sealwright.oauth.clients.secrets import LONGEST_OVERLAP
from sealwright.oauth.consents import Consents
from sealwright.oauth.dependencies import OAuthDependencies
from sealwright.oauth.device.requests import DEVICE_DONE_PAGE, DEVICE_PAGE
from sealwright.oauth.device.user_codes import shown as shown_user_code
from sealwright.oauth.discovery import Discovery
from sealwright.oauth.errors import (
    AccessTokenRefused,
    ApiAccessRefused,
    ClientExists,
    ClientInUse,
    ClientUnknown,
    GroupUnknown,
    IssuerExists,
    IssuerInUse,
    IssuerUnknown,
    LogoutRefused,
    RequestGone,
    TokenRequestRefused,
    UnprovenRequest,
    UserCodeUnknown,
)
from sealwright.oauth.http import answer_failure
from sealwright.oauth.id_token_status import IdTokenStatus
from sealwright.oauth.issuers.addresses import client_name_in
from sealwright.oauth.issuers.keys import ClientKey
from sealwright.oauth.issuers.registry import IssuerConfiguration, IssuerRegistry
from sealwright.oauth.logout.backchannel import BackchannelLogout, queue_logout_tokens
from sealwright.oauth.logout.endpoint import LogoutEndpoint
from sealwright.oauth.logout.models import PendingLogout, SignedOut
from sealwright.oauth.lookups import IdentityLookups, PeopleLookup, SessionLookup
from sealwright.oauth.maps.models import ClaimJoin, ClaimMap
from sealwright.oauth.models import (
    CHANGE_SCOPE,
    READ_SCOPE,
    AcceptedRequest,
    AuthorizationRequest,
    AvailableClient,
    ChooseAccountStep,
    Client,
    ClientConfiguration,
    Consent,
    ConsentStep,
    DisclosedClaims,
    FormPostStep,
    NextStep,
    NotAllowedStep,
    PendingRequest,
    Prompt,
    RedirectStep,
    ResponseMode,
    ScopeMap,
    SignInStep,
)
from sealwright.oauth.own_provider import OwnProvider, OwnProviderEntry
from sealwright.oauth.policy import ScopeNeed
from sealwright.oauth.purge import purge
from sealwright.oauth.recycle_bin.clients import DeletedClients
from sealwright.oauth.recycle_bin.store import DeletedClient
from sealwright.oauth.registration.store import RegistrationToken
from sealwright.oauth.registration.tokens import RegistrationTokens
from sealwright.oauth.store import clients_of_group
from sealwright.oauth.token import TokenEndpoint, TokenResponse
from sealwright.oauth.trusted_issuers.explanations import AssertionExplanation, AssertionExplanations
from sealwright.oauth.trusted_issuers.issuer_assertions import Check, JudgedRule
from sealwright.oauth.trusted_issuers.models import IssuerRule, TrustedIssuer
from sealwright.oauth.trusted_issuers.registry import IssuerWithRules, TrustedIssuers

__all__ = [
    "CHANGE_SCOPE",
    "CHOOSE_ACCOUNT_PAGE",
    "CONSENT_PAGE",
    "CONTINUE_PATH",
    "DEVICE_DONE_PAGE",
    "DEVICE_PAGE",
    "LOGOUT_PAGE",
    "LONGEST_OVERLAP",
    "NOT_ALLOWED_PAGE",
    "READ_SCOPE",
    "SIGN_IN_PAGE",
    "AcceptedRequest",
    "AccessTokenRefused",
    "ApiAccess",
    "ApiAccessRefused",
    "AssertionExplanation",
    "AssertionExplanations",
    "AuthorizationEndpoint",
    "AuthorizationRequest",
    "AuthorizationServer",
    "AvailableClient",
    "BackchannelLogout",
    "Check",
    "ChooseAccountStep",
    "ClaimJoin",
    "ClaimMap",
    "Client",
    "ClientConfiguration",
    "ClientExists",
    "ClientImages",
    "ClientInUse",
    "ClientKey",
    "ClientKind",
    "ClientMaps",
    "ClientRefused",
    "ClientRegistry",
    "ClientUnknown",
    "Consent",
    "ConsentStep",
    "Consents",
    "DeletedClient",
    "DeletedClients",
    "DisclosedClaims",
    "Discovery",
    "FormPostPage",
    "FormPostStep",
    "GroupUnknown",
    "IdTokenStatus",
    "IdentityLookups",
    "IssuerConfiguration",
    "IssuerExists",
    "IssuerInUse",
    "IssuerRegistry",
    "IssuerRule",
    "IssuerUnknown",
    "IssuerWithRules",
    "JudgedRule",
    "LogoutEndpoint",
    "LogoutRefused",
    "NextStep",
    "NotAllowedStep",
    "OAuthDependencies",
    "OwnProvider",
    "OwnProviderEntry",
    "PendingLogout",
    "PendingRequest",
    "PeopleLookup",
    "Prompt",
    "ReadImage",
    "RedirectStep",
    "RegistrationToken",
    "RegistrationTokens",
    "RequestGone",
    "ResponseMode",
    "ScopeMap",
    "ScopeNeed",
    "SessionLookup",
    "SignInStep",
    "SignedOut",
    "StepResponse",
    "StoredMetadata",
    "TokenEndpoint",
    "TokenRequestRefused",
    "TokenResponse",
    "TrustedIssuer",
    "TrustedIssuers",
    "UnprovenRequest",
    "UserCodeUnknown",
    "answer_failure",
    "build_authorization_server",
    "client_name_in",
    "client_name_of",
    "clients_of_group",
    "differences",
    "purge",
    "queue_logout_tokens",
    "read_whole",
    "set_members",
    "shown_user_code",
    "step_responses",
]
