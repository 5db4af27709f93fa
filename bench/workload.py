"""What is sent: certificate requests and tokens, made before the clock runs."""

from __future__ import annotations

import base64
import itertools
import json
import os
import time
from dataclasses import dataclass
from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

CSRS = 400


@dataclass(frozen=True)
class Request:
    """One certificate request and the names that it asks for."""

    name: str
    pem: str


def certificate_requests(names: list[str]) -> list[Request]:
    """One CSR with a fresh P-256 key for each name; an address with @ becomes an e-mail SAN."""
    made = []
    for name in names:
        key = ec.generate_private_key(ec.SECP256R1())
        san: x509.GeneralName = x509.RFC822Name(name) if "@" in name else x509.DNSName(name)
        csr = (
            x509.CertificateSigningRequestBuilder()
            .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]))
            .add_extension(x509.SubjectAlternativeName([san]), critical=False)
            .sign(key, hashes.SHA256())
        )
        made.append(Request(name, csr.public_bytes(serialization.Encoding.PEM).decode()))
    return made


def b64(raw: bytes) -> str:
    """Unpadded base64url."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def sign_jwt(key: ec.EllipticCurvePrivateKey, kid: str, claims: dict[str, object]) -> str:
    """A compact ES256 JWT, made without any code of the program that is measured."""
    header = {"alg": "ES256", "kid": kid, "typ": "JWT"}
    message = ".".join(b64(json.dumps(each, separators=(",", ":")).encode()) for each in (header, claims))  # as `step` writes it
    r, s = decode_dss_signature(key.sign(message.encode(), ec.ECDSA(hashes.SHA256())))
    return message + "." + b64(r.to_bytes(32, "big") + s.to_bytes(32, "big"))


def _as_step_writes(body: dict[str, object]) -> str:
    """JSON without spaces."""
    return json.dumps(body, separators=(",", ":"))


@lru_cache(maxsize=4)
def _requests_for(shape: str) -> list[Request]:
    """As many as are used, with the number of each in its name."""
    return certificate_requests([shape.format(number) for number in range(CSRS)])


def jwk_bodies(count: int, *, key: ec.EllipticCurvePrivateKey, kid: str, provisioner: str, audience: str) -> list[str]:
    """Bodies for /sign whose tokens are made with a JWK provisioner's key, each good once."""
    requests = _requests_for("host-{}.bench.example.org")
    now = int(time.time())
    bodies = []
    for request in itertools.islice(itertools.cycle(requests), count):
        claims = {
            "iss": provisioner,
            "sub": request.name,
            "sans": [request.name],
            "aud": audience,
            "iat": now,
            "nbf": now,
            "exp": now + 300,
            "jti": os.urandom(32).hex(),
        }
        bodies.append(_as_step_writes({"csr": request.pem, "ott": sign_jwt(key, kid, claims)}))
    return bodies


def oidc_bodies(count: int, *, key: ec.EllipticCurvePrivateKey, kid: str, issuer: str, client: str) -> list[str]:
    """Bodies for /sign whose tokens are ID tokens of the provider that the benchmark runs, each good once."""
    requests = _requests_for("person-{}@bench.example.org")
    now = int(time.time())
    bodies = []
    for request in itertools.islice(itertools.cycle(requests), count):
        claims = {
            "iss": issuer,
            "sub": f"subject-{request.name.partition('@')[0]}",
            "aud": client,
            "email": request.name,
            "email_verified": True,
            "iat": now,
            "exp": now + 600,
            "nonce": os.urandom(16).hex(),
        }
        bodies.append(_as_step_writes({"csr": request.pem, "ott": sign_jwt(key, kid, claims)}))
    return bodies
