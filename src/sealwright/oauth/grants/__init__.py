"""The grant types of the token endpoint, one module each.

`GRANTS` is the one list of them: requests, metadata and reference are read from it. A new grant type is a module and a line.
"""

from __future__ import annotations

from sealwright.oauth.grants.authorization_code import AuthorizationCodeGrant
from sealwright.oauth.grants.client_credentials import ClientCredentialsGrant
from sealwright.oauth.grants.device_code import DeviceCodeGrant
from sealwright.oauth.grants.grant import Grant, GrantDependencies
from sealwright.oauth.grants.grant_result import CompleteGrant, GrantResult
from sealwright.oauth.grants.refresh_token import RefreshTokenGrant
from sealwright.oauth.models import Client

GRANTS: tuple[type[Grant], ...] = (
    AuthorizationCodeGrant,
    RefreshTokenGrant,
    ClientCredentialsGrant,
    DeviceCodeGrant,
)


def is_open_to(grant: type[Grant], client: Client) -> bool:
    """True where a client may use a grant type: its kind may, it is registered for it, and for devices it is switched on."""
    if client.grant_types and grant.grant_type not in client.grant_types:
        return False
    return client.kind in grant.open_to and (grant is not DeviceCodeGrant or client.device_grant)


__all__ = [
    "GRANTS",
    "CompleteGrant",
    "DeviceCodeGrant",
    "Grant",
    "GrantDependencies",
    "GrantResult",
    "is_open_to",
]
