"""An identity provider of someone else, whose answers a test chooses."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from sealwright.clock import FixedClock
from sealwright.identity.upstream.providers import ProviderInput
from sealwright.jose import base64url, jwk_of, sign
from sealwright.keys import SigningKey
from tests.scripted_outbound import ScriptedOutbound, json_answer
from tests.signing import signing_key

ISSUER = "https://sso.example.com/realms/staff"
CLIENT = "sealwright"


class ForeignProvider:
    def __init__(self, outbound: ScriptedOutbound, clock: FixedClock, issuer: str = ISSUER) -> None:
        self.outbound, self.clock, self.issuer = outbound, clock, issuer
        self.base = issuer.removesuffix("/")
        self.key = signing_key()
        self.discovery: dict[str, Any] = {
            "issuer": issuer,
            "authorization_endpoint": f"{self.base}/auth",
            "token_endpoint": f"{self.base}/token",
            "jwks_uri": f"{self.base}/keys",
            "id_token_signing_alg_values_supported": ["RS256", "ES256"],
        }
        self.publish()

    def publish(self) -> None:
        """Serve what is set now."""
        self.outbound.answers[f"{self.base}/.well-known/openid-configuration"] = json_answer(self.discovery)
        self.outbound.answers[f"{self.base}/keys"] = json_answer({"keys": [jwk_of(self.key.public_key, self.key.id, "ES256")]})

    def claims(self, location: str, **changes: Any) -> dict[str, Any]:
        """What an ID token says that answers the request which the browser was led to."""
        now = self.clock.now() // 1000
        asked = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
        claims = {
            "iss": self.issuer,
            "aud": CLIENT,
            "sub": "f4a1",
            "exp": now + 300,
            "iat": now,
            "nonce": asked["nonce"],
            "preferred_username": "Alice@example.com",
            "name": "Alice A.",
            "groups": ["engineers"],
            "at_hash": base64url(hashlib.sha256(b"at").digest()[:16]),
            **changes,
        }
        return {name: value for name, value in claims.items() if value is not None}

    def answer(
        self, location: str, *, key: SigningKey | None = None, claims: Mapping[str, Any] | None = None, **changes: Any
    ) -> dict[str, str]:
        """Let the token endpoint answer, and return the query with which the browser comes back."""
        told = dict(claims) if claims is not None else self.claims(location, **changes)
        token = sign(key or self.key, told)
        self.outbound.answers[f"{self.base}/token"] = json_answer({"access_token": "at", "id_token": token})
        return {"state": parse_qs(urlsplit(location).query)["state"][0], "code": "c0de"}


def described(**changes: Any) -> ProviderInput:
    """What an administrator types."""
    usual = {"name": "Keycloak", "issuer_url": ISSUER, "client_id": CLIENT, "client_secret": "s3cret"}
    return ProviderInput(**{**usual, **changes})
