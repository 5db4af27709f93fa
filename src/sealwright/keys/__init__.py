"""Custody of signing keys, and of secrets at rest.

Owns: making, sealing, storing and opening private keys. Never knows what is signed, never hands a private key to a wire.
"""

from __future__ import annotations

from sealwright.keys.custody import Custody
from sealwright.keys.errors import KeyFileRefused, KeyMissing, SealBroken
from sealwright.keys.handles import SealedHandles
from sealwright.keys.models import (
    PUBLISHED_BEFORE_USE,
    NewKey,
    PublicKeyRecord,
    Purpose,
    SigningKey,
    signing_record,
)
from sealwright.keys.prepared import PreparedCustody, new_rsa_keys
from sealwright.keys.sealing import (
    KEY_FILE,
    Sealer,
    create_key_encryption_key,
    load_key_encryption_key,
    readers_of_key_file,
)
from sealwright.keys.software import from_pem, to_pkcs8_pem

__all__ = [
    "KEY_FILE",
    "PUBLISHED_BEFORE_USE",
    "Custody",
    "KeyFileRefused",
    "KeyMissing",
    "NewKey",
    "PreparedCustody",
    "PublicKeyRecord",
    "Purpose",
    "SealBroken",
    "SealedHandles",
    "Sealer",
    "SigningKey",
    "create_key_encryption_key",
    "from_pem",
    "load_key_encryption_key",
    "new_rsa_keys",
    "readers_of_key_file",
    "signing_record",
    "to_pkcs8_pem",
]
