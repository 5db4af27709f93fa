"""The relying party's name, and the options that browsers are given."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from msgspec import Struct

from sealwright.ip import is_ip_address

CEREMONY_LIFETIME = timedelta(minutes=5)
"""Time between the options and the response to them."""

ES256, EDDSA, RS256 = -7, -8, -257
ALGORITHMS = (ES256, EDDSA, RS256)
"""COSE algorithms (RFC 9053, section 2) that are accepted, preferred first."""


class RelyingParty(Struct, frozen=True):
    """Name and address of this server, as authenticators know them."""

    name: str
    origin: str
    """Public origin of the pages, such as ``https://id.example.org``."""

    @property
    def id(self) -> str:
        """The RP ID: the host of the origin."""
        return urlsplit(self.origin).hostname or ""

    @property
    def usable(self) -> bool:
        """Whether browsers accept the RP ID: it must be a domain name, not an IP address."""
        return bool(self.id) and not is_ip_address(self.id)


def creation_options(
    party: RelyingParty, challenge: bytes, account_id: str, spn: str, display_name: str, registered: Sequence[bytes]
) -> dict[str, Any]:
    """PublicKeyCredentialCreationOptions in their JSON form. `registered`: ids of the account's passkeys, to exclude."""
    return {
        "rp": {"id": party.id, "name": party.name},
        "user": {"id": base64url(user_handle(account_id)), "name": spn, "displayName": display_name},
        "challenge": base64url(challenge),
        "pubKeyCredParams": [{"type": "public-key", "alg": algorithm} for algorithm in ALGORITHMS],
        "timeout": CEREMONY_LIFETIME // timedelta(milliseconds=1),
        "excludeCredentials": [{"type": "public-key", "id": base64url(each)} for each in registered],
        "authenticatorSelection": {
            "residentKey": "required",
            "requireResidentKey": True,
            "userVerification": "required",
        },
        "attestation": "none",
    }


def request_options(party: RelyingParty, challenge: bytes) -> dict[str, Any]:
    """PublicKeyCredentialRequestOptions in their JSON form, for any discoverable passkey of this server."""
    return {
        "rpId": party.id,
        "challenge": base64url(challenge),
        "timeout": CEREMONY_LIFETIME // timedelta(milliseconds=1),
        "allowCredentials": [],
        "userVerification": "required",
    }


def user_handle(account_id: str) -> bytes:
    """The user handle of an account: the bytes of its UUID."""
    return UUID(account_id).bytes


def base64url(raw: bytes) -> str:
    """Base64url without padding (RFC 4648, section 5)."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
