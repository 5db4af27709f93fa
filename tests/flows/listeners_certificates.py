"""A small certificate authority for tests of the listeners."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID


class TestAuthority:
    """Signs server and client certificates."""

    __test__ = False

    def __init__(self, name: str = "Test Root") -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name(name)
        self.root = (
            _builder(self._name, self._name, self._key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(self._key, hashes.SHA256())
        )

    @property
    def root_pem(self) -> bytes:
        return self.root.public_bytes(serialization.Encoding.PEM)

    def issue(self, common_name: str, *, usage: x509.ObjectIdentifier, kind: str = "EC", days: int = 1) -> tuple[bytes, bytes]:
        """Certificate and key as PEM."""
        key: Any = ec.generate_private_key(ec.SECP256R1()) if kind == "EC" else rsa.generate_private_key(65537, 2048)
        names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        certificate = (
            _builder(_name(common_name), self._name, key.public_key(), days)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        return certificate.public_bytes(serialization.Encoding.PEM), private

    def server(self, common_name: str = "server", kind: str = "EC") -> tuple[bytes, bytes]:
        return self.issue(common_name, usage=ExtendedKeyUsageOID.SERVER_AUTH, kind=kind)

    def client(self, common_name: str = "client", days: int = 1) -> tuple[bytes, bytes]:
        return self.issue(common_name, usage=ExtendedKeyUsageOID.CLIENT_AUTH, days=days)

    def furnish(self, directory: Path) -> None:
        """Write what the test program reads."""
        chain, key = self.server()
        (directory / "server.pem").write_bytes(chain)
        (directory / "server.key").write_bytes(key)
        (directory / "trust.pem").write_bytes(self.root_pem)


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _builder(subject: x509.Name, issuer: x509.Name, public_key: Any, days: int = 1) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    end = now + timedelta(days=days)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(min(now, end) - timedelta(minutes=5))
        .not_valid_after(end)
    )
