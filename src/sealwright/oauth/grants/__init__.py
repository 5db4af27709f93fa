"""Grant types: each takes what a client presents, uses it up, and says what tokens it is good for."""

from __future__ import annotations

from sealwright.oauth.grants.authorization_code import AuthorizationCodeGrant
from sealwright.oauth.grants.grant_result import GrantResult
from sealwright.oauth.grants.refresh_token import RefreshTokenGrant

__all__ = [
    "AuthorizationCodeGrant",
    "GrantResult",
    "RefreshTokenGrant",
]
