"""Whether a signature holds, by our code and by joserfc."""

from __future__ import annotations

import binascii
import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import ECKey, KeySet, OKPKey

from sealwright.jose import ALGORITHMS, JWT, JwkRefused, PublicKey, TokenMalformed, TokenRefused, keys_of_jwks, verify
from sealwright.jose.signatures import verify_signature

Jwk = Mapping[str, Any]
PLACE = Path(__file__).parent


def read(name: str) -> Any:
    return json.loads((PLACE / f"{name}.json").read_text(encoding="utf-8"))


def ours_holds(token: str, keys: list[Jwk]) -> bool:
    """A payload that holds no claims is refused by our code only after the signature was found to hold."""
    try:
        verify(token, keys_of_jwks(json.dumps({"keys": keys}).encode()), typ=JWT, algorithms=ALGORITHMS)
    except TokenMalformed as cause:
        return cause.detail.startswith("The payload of the token")
    except (TokenRefused, JwkRefused):
        return False
    return True


def joserfc_holds(token: str, keys: list[Jwk]) -> bool:
    try:
        with warnings.catch_warnings(action="ignore", category=SecurityWarning):
            jws.deserialize_compact(token, KeySet.import_key_set({"keys": [dict(key) for key in keys]}), sorted(ALGORITHMS))
    except (JoseError, ValueError, KeyError, binascii.Error):
        return False
    return True


def ours_holds_raw(algorithm: str, key: PublicKey, signature: bytes, signed: bytes) -> bool:
    try:
        verify_signature(algorithm, key, signature, signed)
    except TokenRefused:
        return False
    return True


def joserfc_holds_raw(algorithm: str, key: ECKey | OKPKey, signature: bytes, signed: bytes) -> bool:
    with warnings.catch_warnings(action="ignore", category=SecurityWarning):
        return jws.JWSRegistry(algorithms=[algorithm]).get_alg(algorithm).verify(signed, signature, key)
