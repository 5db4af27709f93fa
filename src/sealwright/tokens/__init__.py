"""Tokens: made, read, verified; keys as JSON; the key sets of trusted providers.

Owns: compact JWS, JWK and JWKS, the encrypted keys of JWK provisioners, discovery of OpenID providers. Never decides what a
token may be used for.
"""

from __future__ import annotations

from sealwright.tokens.claims import (
    LEEWAY,
    audiences,
    check_authorized_party,
    check_times,
    instant_claim,
    optional_text,
    require_audience,
    require_issuer,
    require_text,
    text_list,
)
from sealwright.tokens.encoding import LONGEST_TOKEN
from sealwright.tokens.errors import (
    JwkRefused,
    KeyUnknown,
    ProviderUnavailable,
    TokenExpired,
    TokenMalformed,
    TokenRefused,
    TokenTooLong,
)
from sealwright.tokens.jwk import jwk_of, jwks_document, keys_of_jwks, public_key_from_jwk, thumbprint_sha256
from sealwright.tokens.models import (
    LocalProvider,
    ProviderMetadata,
    SignedClaims,
    VerificationKey,
    VerificationKeys,
    verification_keys,
)
from sealwright.tokens.providers import TrustedProviders
from sealwright.tokens.sealed_jwk import decrypt_private_jwk, encrypt_private_jwk, new_sealed_jwk
from sealwright.tokens.sign import sign
from sealwright.tokens.signatures import ALGORITHMS
from sealwright.tokens.verify import ACCESS_TOKEN, JWT, UnverifiedToken, verify

__all__ = [
    "ACCESS_TOKEN",
    "ALGORITHMS",
    "JWT",
    "LEEWAY",
    "LONGEST_TOKEN",
    "JwkRefused",
    "KeyUnknown",
    "LocalProvider",
    "ProviderMetadata",
    "ProviderUnavailable",
    "SignedClaims",
    "TokenExpired",
    "TokenMalformed",
    "TokenRefused",
    "TokenTooLong",
    "TrustedProviders",
    "UnverifiedToken",
    "VerificationKey",
    "VerificationKeys",
    "audiences",
    "check_authorized_party",
    "check_times",
    "decrypt_private_jwk",
    "encrypt_private_jwk",
    "instant_claim",
    "jwk_of",
    "jwks_document",
    "keys_of_jwks",
    "new_sealed_jwk",
    "optional_text",
    "public_key_from_jwk",
    "require_audience",
    "require_issuer",
    "require_text",
    "sign",
    "text_list",
    "thumbprint_sha256",
    "verification_keys",
    "verify",
]
