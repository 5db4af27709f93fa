"""The authorization server: OAuth 2.0 and OpenID Connect, one issuer for each client.

Owns: clients, authorization requests, consents, codes, refresh tokens, and what their tokens say. Never knows how a person
signs in, and never draws a page.
"""

from __future__ import annotations

from sealwright.oauth.clients import Clients
from sealwright.oauth.discovery import Discovery
from sealwright.oauth.foundation import Foundation
from sealwright.oauth.models import (
    AuthorizationRequest,
    Client,
    ClientConfiguration,
    ClientKind,
    Consent,
    ConsentNeeded,
    Done,
    NextStep,
    PendingRequest,
    Prompt,
    ScopeMap,
    SigningAlgorithm,
    SignInNeeded,
)

__all__ = [
    "AuthorizationRequest",
    "Client",
    "ClientConfiguration",
    "ClientKind",
    "Clients",
    "Consent",
    "ConsentNeeded",
    "Discovery",
    "Done",
    "Foundation",
    "NextStep",
    "PendingRequest",
    "Prompt",
    "ScopeMap",
    "SignInNeeded",
    "SigningAlgorithm",
]
