"""The key of a JWK provisioner at the terminal of the person who knows its password: opened, and used for a token.

The server keeps only the encrypted form; it never sees the password.
"""

from __future__ import annotations

from sealwright.cli.errors import CommandFailed, RefusedByServer
from sealwright.cli.key_pair import LeafKey
from sealwright.jose import JwkNotOpened, JwkRefused, KeyRefused, PrivateJwk, algorithm_of, decrypt_private_jwk


def open_sealed(sealed: str, password: str) -> PrivateJwk:
    """The private key in a JWE; a wrong password raises RefusedByServer, a JWE of another kind CommandFailed."""
    try:
        return decrypt_private_jwk(sealed, password.encode())
    except JwkNotOpened as cause:
        raise RefusedByServer("the password does not open the provisioner's key.") from cause
    except JwkRefused as cause:
        raise CommandFailed(f"the provisioner's key cannot be read: {cause.detail}") from cause


def key_for(private_key: LeafKey) -> PrivateJwk:
    """A key from a PEM file, for tokens that it signs for itself (renewal of an expired certificate)."""
    try:
        return PrivateJwk("", algorithm_of(private_key.public_key()), private_key)
    except KeyRefused as cause:
        raise CommandFailed(f"the private key cannot sign a token: {cause.detail}") from cause
