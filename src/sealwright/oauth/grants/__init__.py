"""The grant types of the token endpoint, one module each.

`GRANTS` is the one list of them: requests, metadata and reference are read from it. A new grant type is a module and a line.
"""

from __future__ import annotations

from sealwright.oauth.grants.authorization_code import AuthorizationCodeGrant
from sealwright.oauth.grants.client_credentials import ClientCredentialsGrant
from sealwright.oauth.grants.device_code import DeviceCodeGrant
from sealwright.oauth.grants.grant import Grant, GrantDependencies
from sealwright.oauth.grants.grant_result import CompleteGrant, GrantResult
from sealwright.oauth.grants.jwt_bearer import JwtBearerGrant
from sealwright.oauth.grants.refresh_token import RefreshTokenGrant
from sealwright.oauth.grants.registered import is_registered_for, why_not_registered
from sealwright.oauth.grants.token_exchange import TokenExchangeGrant
from sealwright.oauth.models import Client

GRANTS: tuple[type[Grant], ...] = (
    AuthorizationCodeGrant,
    RefreshTokenGrant,
    ClientCredentialsGrant,
    DeviceCodeGrant,
    TokenExchangeGrant,
    JwtBearerGrant,
)


def is_open_to(grant: type[Grant], client: Client) -> bool:
    """True where a client may use a grant type: its kind may, and it is registered for it."""
    return client.kind in grant.open_to and is_registered_for(client, grant.grant_type)


def why_not_open(grant: type[Grant], client: Client) -> str:
    """Why a client may not use a grant type, and what changes that; empty where it may."""
    if client.kind not in grant.open_to:
        return f"{client.name} is a {client.kind} client, which may not use the grant_type {grant.grant_type}."
    return why_not_registered(client, grant.grant_type)


__all__ = [
    "GRANTS",
    "CompleteGrant",
    "DeviceCodeGrant",
    "Grant",
    "GrantDependencies",
    "GrantResult",
    "is_open_to",
    "why_not_open",
]
