"""Which client sends a request, and whether it has proven so: one routine for every endpoint that clients call by themselves."""

from __future__ import annotations

from sealwright.oauth.client_authentication.assertions import JWT_BEARER_ASSERTION
from sealwright.oauth.client_authentication.authentication import ClientAuthentication

__all__ = ["JWT_BEARER_ASSERTION", "ClientAuthentication"]
