"""An authenticator in software (WebAuthn Level 2, section 6), which can also be told to do wrong."""

from __future__ import annotations

import base64
import hashlib
import json
import struct
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

UP, UV, BE, BS, AT = 0x01, 0x04, 0x08, 0x10, 0x40


def encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class SoftwareAuthenticator:
    """Holds one discoverable passkey."""

    origin: str
    rp_id: str
    flags: int = UP | UV
    counts: bool = True
    attestation: dict[str, Any] = field(default_factory=lambda: {"fmt": "none", "attStmt": {}})
    credential_id: bytes = b"credential-id-01"
    user_handle: bytes = b""
    sign_count: int = 0
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def create(self, options: dict[str, Any], **wrong: Any) -> str:
        """The response to navigator.credentials.create()."""
        self.user_handle = decode(options["user"]["id"])
        numbers = self.key.public_key().public_numbers()
        cose = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")} | wrong.get("cose", {})
        attested = bytes(16) + struct.pack(">H", len(self.credential_id)) + self.credential_id + cbor2.dumps(cose)
        data = self._data(wrong, AT) + attested
        client_data = self._client_data("webauthn.create", options, wrong)
        return self._response(
            {
                "clientDataJSON": encode(client_data),
                "attestationObject": encode(cbor2.dumps({**self.attestation, "authData": data})),
            }
        )

    def get(self, options: dict[str, Any], **wrong: Any) -> str:
        """The response to navigator.credentials.get()."""
        data = self._data(wrong)
        client_data = self._client_data("webauthn.get", options, wrong)
        key = wrong.get("key", self.key)
        signature = key.sign(data + hashlib.sha256(client_data).digest(), ec.ECDSA(SHA256()))
        return self._response(
            {
                "clientDataJSON": encode(client_data),
                "authenticatorData": encode(data),
                "signature": encode(signature),
                "userHandle": encode(wrong.get("user_handle", self.user_handle)),
            }
        )

    def _data(self, wrong: dict[str, Any], more: int = 0) -> bytes:
        if self.counts:
            self.sign_count += 1
        rp_id = wrong.get("rp_id", self.rp_id)
        flags = wrong.get("flags", self.flags) | more
        return hashlib.sha256(rp_id.encode()).digest() + struct.pack(">BI", flags, wrong.get("sign_count", self.sign_count))

    def _client_data(self, kind: str, options: dict[str, Any], wrong: dict[str, Any]) -> bytes:
        value = {
            "type": wrong.get("type", kind),
            "challenge": wrong.get("challenge", options["challenge"]),
            "origin": wrong.get("origin", self.origin),
            "crossOrigin": False,
        }
        return json.dumps(value).encode()

    def _response(self, response: dict[str, str]) -> str:
        name = encode(self.credential_id)
        return json.dumps({"id": name, "rawId": name, "type": "public-key", "response": response, "clientExtensionResults": {}})
