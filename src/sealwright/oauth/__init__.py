"""The authorization server: OAuth 2.0 and OpenID Connect, one issuer for each client.

Owns: clients, authorization requests, consents, codes, refresh tokens, and what their tokens say. Never knows how a person
signs in, and never draws a page.
"""

from __future__ import annotations

from sealwright.oauth.assemble import AuthorizationServer, assemble
from sealwright.oauth.authorize import Authorization
from sealwright.oauth.clients import Clients
from sealwright.oauth.consents import Consents
from sealwright.oauth.discovery import Discovery, client_name_in
from sealwright.oauth.errors import (
    BearerRefused,
    ClientExists,
    ClientInUse,
    ClientRefused,
    ClientUnknown,
    GroupUnknown,
    RequestGone,
    TokenRequestRefused,
    UnprovenRequest,
)
from sealwright.oauth.foundation import Foundation
from sealwright.oauth.http import (
    CONSENT_PAGE,
    CONTINUE_PATH,
    NOT_ALLOWED_PAGE,
    SESSION_COOKIE,
    SIGN_IN_PAGE,
    answer_failure,
    answer_step,
)
from sealwright.oauth.models import (
    AuthorizationRequest,
    Begun,
    Client,
    ClientConfiguration,
    ClientKind,
    Consent,
    ConsentNeeded,
    Disclosed,
    Done,
    NextStep,
    NotAllowed,
    PendingRequest,
    Prompt,
    ResponseMode,
    ScopeMap,
    SigningAlgorithm,
    SignInNeeded,
    Usable,
)
from sealwright.oauth.people import People, SignIns
from sealwright.oauth.policy import ScopeNeed
from sealwright.oauth.purge import purge
from sealwright.oauth.store import clients_of_group
from sealwright.oauth.token import TokenAnswer, Tokens
from sealwright.oauth.token_standing import TokenStanding

__all__ = [
    "CONSENT_PAGE",
    "CONTINUE_PATH",
    "NOT_ALLOWED_PAGE",
    "SESSION_COOKIE",
    "SIGN_IN_PAGE",
    "Authorization",
    "AuthorizationRequest",
    "AuthorizationServer",
    "BearerRefused",
    "Begun",
    "Client",
    "ClientConfiguration",
    "ClientExists",
    "ClientInUse",
    "ClientKind",
    "ClientRefused",
    "ClientUnknown",
    "Clients",
    "Consent",
    "ConsentNeeded",
    "Consents",
    "Disclosed",
    "Discovery",
    "Done",
    "Foundation",
    "GroupUnknown",
    "NextStep",
    "NotAllowed",
    "PendingRequest",
    "People",
    "Prompt",
    "RequestGone",
    "ResponseMode",
    "ScopeMap",
    "ScopeNeed",
    "SignInNeeded",
    "SignIns",
    "SigningAlgorithm",
    "TokenAnswer",
    "TokenRequestRefused",
    "TokenStanding",
    "Tokens",
    "UnprovenRequest",
    "Usable",
    "answer_failure",
    "answer_step",
    "assemble",
    "client_name_in",
    "clients_of_group",
    "purge",
]
