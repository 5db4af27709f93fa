"""An authorization server beside a certificate authority, for machines that prove themselves by certificates and keys."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from sealwright.access import SYSTEM
from sealwright.clock import to_datetime, to_seconds
from sealwright.http import Response
from sealwright.jose import jwk_of, sign
from sealwright.keys import SigningKey
from tests.authorities import Authority, csr, der_of
from tests.oauth_world import ORIGIN, World, members, oauth_world
from tests.signing import signing_key

MACHINES = "https://id.example.org:9443"
ISSUER = f"{ORIGIN}/oauth2/openid/billing"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

_JTI = count()


class Machines(World):
    """With what machines do."""

    def __init__(self, world: World) -> None:
        super().__init__(world.app)
        self.ca = Authority(world.app)

    def other_machines(self) -> Machines:
        """The same database, seen by another node."""
        return Machines(self.other_node())

    async def certificate(self, *names: str, common_name: str = "", private: Any = None, provisioner: str = "admin") -> bytes:
        """A certificate by `step`'s way, by a JWK provisioner; returns its DER."""
        subject = common_name or names[0]
        by = {"signer": f"jwk {provisioner}", "issuer": provisioner}
        token = self.ca.jwk_token(subject, aud=f"{MACHINES}/1.0/sign", sans=list(names), **by)
        request = csr(subject, names, private=private or ec.generate_private_key(ec.SECP256R1()))
        status, answer = await self.ca.call("POST", "/1.0/sign", {"csr": request, "ott": token})
        assert status == 201, answer
        return der_of(answer)

    async def revoke(self, certificate: bytes) -> None:
        """As an administrator does."""
        serial = x509.load_der_x509_certificate(certificate).serial_number.to_bytes(20, "big")
        await self.app.parts.ca.revocation.by_actor(serial, SYSTEM, code=1, reason="a test")

    async def client(self, name: str = "billing", *, scopes: tuple[str, ...] = ("bills:read",), **members: Any) -> str | None:
        """A confidential client; returns its secret, if it has one."""
        clients = self.server.clients
        await clients.create_confidential(name, "Billing", "https://billing.example.org", members=members, actor=SYSTEM)
        await clients.update_scope_map(name, "users", scopes, actor=SYSTEM)
        return await clients.secrets.show_basic_secret(name, actor=SYSTEM)

    async def own_token(self, certificate: bytes | None = None, headers: Any = None, **form: str) -> Response:
        """A token of the client for itself."""
        asked = {"grant_type": "client_credentials", "client_id": "billing"} | form
        return await self.token(headers, certificate=certificate, **{name: value for name, value in asked.items() if value})

    def assertion(self, key: SigningKey, *, header: Any = None, **changes: Any) -> dict[str, str]:
        """An assertion of the client `billing`, as form fields."""
        claims = self.assertion_claims(**changes)
        return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": sign(key, claims, header=header)}

    def assertion_claims(self, **changes: Any) -> dict[str, Any]:
        """What an assertion says, with `changes`; None leaves a claim out."""
        now = to_seconds(self.clock.now())
        usual = {"iss": "billing", "sub": "billing", "aud": ISSUER, "iat": now, "exp": now + 60, "jti": f"{next(_JTI)}"}
        return {name: value for name, value in (usual | changes).items() if value is not None}

    async def reasons(self) -> list[str]:
        """Why token requests were refused, by the record, oldest first."""
        return [details["reason"] for _, outcome, details in await self.events("token.refused") if outcome == "refused"]


@asynccontextmanager
async def machines_world(**options: Any) -> AsyncIterator[Any]:
    """A world with an authority that a JWK provisioner may ask for any name."""
    async with oauth_world(**options) as world:
        machines = Machines(world)
        await world.app.parts.ca.issuers.create_hierarchy("Example", SYSTEM)
        await machines.ca.add_jwk()
        yield machines


def thumbprint_of(certificate: bytes) -> str:
    """`x5t#S256`."""
    return base64.urlsafe_b64encode(hashlib.sha256(certificate).digest()).rstrip(b"=").decode()


def refused(response: Response) -> tuple[int, str]:
    """Status and error."""
    return response.status, members(response)["error"]


def client_key(algorithm: str = "ES256") -> SigningKey:
    """The key pair of a client."""
    return signing_key(algorithm)


def key_set(*keys: SigningKey, **more: Any) -> dict[str, Any]:
    """Public keys."""
    return {"keys": [{**jwk_of(key.public_key, key.id, key.algorithm), **more} for key in keys]}


def self_signed(
    name: str = "billing", *, at: Any, days: float = 1, private: ec.EllipticCurvePrivateKey | None = None
) -> tuple[bytes, dict[str, Any]]:
    """A certificate that vouches for itself, and a key set with it."""
    key = private or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.OID_COMMON_NAME, name)])
    start: datetime = to_datetime(at).astimezone(UTC) - timedelta(minutes=1)
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number(), start, start + timedelta(days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
        .public_bytes(Encoding.DER)
    )
    jwk = jwk_of(key.public_key(), "1", "ES256") | {"x5c": [base64.b64encode(made).decode()]}
    return made, json.loads(json.dumps({"keys": [jwk]}))
