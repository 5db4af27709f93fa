"""JOSE: tokens made, read and verified; keys and key sets as JSON; encrypted keys.

Owns: compact JWS, JWK and JWKS, the encrypted keys of JWK provisioners. Never decides what a token may be used for.
"""

from __future__ import annotations

from sealwright.jose.claims import (
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
from sealwright.jose.encoding import LONGEST_TOKEN, base64url, decode_base64url
from sealwright.jose.errors import (
    JwkNotOpened,
    JwkRefused,
    KeyRefused,
    KeyUnknown,
    TokenExpired,
    TokenMalformed,
    TokenRefused,
    TokenTooLong,
)
from sealwright.jose.jwk import jwk_of, jwks_document, keys_of_jwks, public_key_from_jwk, thumbprint_sha256
from sealwright.jose.key_types import PrivateKey, PublicKey, algorithm_of, public_members, thumbprint
from sealwright.jose.mac import verify_mac
from sealwright.jose.models import (
    PrivateJwk,
    SignedClaims,
    TokenSigner,
    VerificationKey,
    VerificationKeys,
    verification_keys,
)
from sealwright.jose.sealed_jwk import decrypt_private_jwk, encrypt_private_jwk, new_sealed_jwk
from sealwright.jose.sign import require_room, sign
from sealwright.jose.signatures import ALGORITHMS
from sealwright.jose.verify import ACCESS_TOKEN, JWT, UnverifiedToken, verify

__all__ = [
    "ACCESS_TOKEN",
    "ALGORITHMS",
    "JWT",
    "LEEWAY",
    "LONGEST_TOKEN",
    "JwkNotOpened",
    "JwkRefused",
    "KeyRefused",
    "KeyUnknown",
    "PrivateJwk",
    "PrivateKey",
    "PublicKey",
    "SignedClaims",
    "TokenExpired",
    "TokenMalformed",
    "TokenRefused",
    "TokenSigner",
    "TokenTooLong",
    "UnverifiedToken",
    "VerificationKey",
    "VerificationKeys",
    "algorithm_of",
    "audiences",
    "base64url",
    "check_authorized_party",
    "check_times",
    "decode_base64url",
    "decrypt_private_jwk",
    "encrypt_private_jwk",
    "instant_claim",
    "jwk_of",
    "jwks_document",
    "keys_of_jwks",
    "new_sealed_jwk",
    "optional_text",
    "public_key_from_jwk",
    "public_members",
    "require_audience",
    "require_issuer",
    "require_room",
    "require_text",
    "sign",
    "text_list",
    "thumbprint",
    "thumbprint_sha256",
    "verification_keys",
    "verify",
    "verify_mac",
]
