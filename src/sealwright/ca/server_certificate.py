"""The certificate of this server's own listeners, from its own issuing CA, by the same way as any other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from sealwright.access import SYSTEM
from sealwright.ca import names
from sealwright.ca.issue import Issuance
from sealwright.ca.models import CertificateRequest, Claims, SigningGrant
from sealwright.ca.profiles import SERVER
from sealwright.ca.public_keys import encoded, kind_of
from sealwright.clock import Instant
from sealwright.pem import certificates_pem

LIFETIME = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class ServerCertificate:
    """What a TLS listener needs."""

    serial: bytes
    chain_pem: str
    """The certificate, then its issuer and those above it; the root is left out."""
    key_pem: bytes = field(repr=False)
    """The private key, PKCS #8; it exists nowhere else."""
    not_before: Instant
    not_after: Instant


async def issue_server_certificate(
    issuance: Issuance, dns_names: Sequence[str], *, lifetime: timedelta = LIFETIME
) -> ServerCertificate:
    """A new key, and a certificate for all names and addresses by which the server is reached."""
    key = generate_private_key(SECP256R1())
    public_key = key.public_key()
    wanted = names.canonical_all(names.split(dns_names))
    first = wanted[0].value
    grant = SigningGrant(
        provisioner_id="",
        provisioner_name="this server",
        profile=SERVER.name,
        actor=SYSTEM,
        claims=Claims(default=lifetime, longest=lifetime),
        common_name=first if len(first) <= names.LONGEST_COMMON_NAME else "",
        names=wanted,
        for_this_server=True,
    )
    request = CertificateRequest(public_key, kind_of(public_key), encoded(public_key))
    issued = await issuance.issue(grant, request)
    return ServerCertificate(
        issued.serial,
        certificates_pem((issued.der, *issued.chain)),
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        issued.contents.not_before,
        issued.contents.not_after,
    )
