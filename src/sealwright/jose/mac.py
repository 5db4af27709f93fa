"""Message authentication codes of JWS (RFC 7518, section 3.2), for the one use that has a shared secret: a client's assertions.

They stand apart from signatures, so that no public key is ever taken for a secret.
"""

from __future__ import annotations

import hashlib
import hmac

from sealwright.jose.encoding import decode_base64url
from sealwright.jose.errors import TokenRefused
from sealwright.jose.models import SignedClaims
from sealwright.jose.verify import UnverifiedToken

_HASHES = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}


def verify_mac(token: UnverifiedToken, secret: bytes, *, algorithms: frozenset[str]) -> SignedClaims:
    """Check that who holds `secret` made the token; raises TokenRefused. A secret shorter than the hash is never accepted."""
    algorithm = token.header.get("alg")
    used = _HASHES.get(algorithm) if isinstance(algorithm, str) and algorithm in algorithms else None
    if used is None:
        raise TokenRefused(f"The token is signed with {str(algorithm)[:32]!r}, which is not allowed here.")
    if len(secret) < used().digest_size:
        raise TokenRefused(f"The secret is too short for {algorithm}.")
    made = hmac.digest(secret, token.signed, used)
    if not hmac.compare_digest(made, decode_base64url(token.signature, "signature")):
        raise TokenRefused("The token's signature is wrong.")
    return SignedClaims(token.header, token.claims())
