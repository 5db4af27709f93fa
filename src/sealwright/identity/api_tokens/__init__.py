"""Tokens by which service accounts use the API."""

from sealwright.identity.api_tokens.api_tokens import API_TOKEN_PREFIX, ApiTokens

__all__ = ["API_TOKEN_PREFIX", "ApiTokens"]
