"""The grant types of the token endpoint, one module each.

`GRANTS` is the one list of them: requests, metadata and reference are read from it. A new grant type is a module and a line.
"""

from __future__ import annotations

from sealwright.oauth.grants.authorization_code import AuthorizationCodeGrant
from sealwright.oauth.grants.client_credentials import ClientCredentialsGrant
from sealwright.oauth.grants.grant import Grant, GrantDependencies
from sealwright.oauth.grants.grant_result import CompleteGrant, GrantResult
from sealwright.oauth.grants.refresh_token import RefreshTokenGrant

GRANTS: tuple[type[Grant], ...] = (
    AuthorizationCodeGrant,
    RefreshTokenGrant,
    ClientCredentialsGrant,
)

__all__ = [
    "GRANTS",
    "CompleteGrant",
    "Grant",
    "GrantDependencies",
    "GrantResult",
]
