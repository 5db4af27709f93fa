"""TLS of the listeners: contexts, and how a new server certificate gets into one that is in use."""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NoReturn

from cryptography import x509

from sealwright import pem
from sealwright.errors import Refused
from sealwright.runtime.tls_alerts import TellingContext

_TLS12_SUITES = ":".join(
    f"ECDHE-{kind}-{cipher}" for cipher in ("AES128-GCM-SHA256", "AES256-GCM-SHA384") for kind in ("ECDSA", "RSA")
)
"""Those that RFC 9325 (BCP 195) recommends in section 4.2, and no others: so does FAPI 2.0."""


class ListenerCertificateRefused(Refused):
    """A certificate or key that no listener can serve."""

    code = "server_certificate_refused"


@dataclass(frozen=True, slots=True)
class TlsMaterial:
    """What the listeners prove themselves with, and whom they believe."""

    chain_pem: bytes
    """The server certificate, then its issuers up to but without the root."""
    key_pem: bytes = field(repr=False)
    trust_pem: bytes
    """Roots and intermediates that client certificates may chain to."""
    files: str = field(default="", compare=False, kw_only=True)
    """Where the settings say that certificate and key are; empty if they are our own."""


def server_context(material: TlsMaterial, *, client_certificates: bool) -> ssl.SSLContext:
    """A context for one listener. With `client_certificates`, peers are asked for one and need not have any.

    A client certificate is verified in the handshake, for the purpose of client authentication: one that is expired, foreign
    or made for something else ends the handshake, with an alert that says so. Raises ListenerCertificateRefused.
    """
    context = TellingContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(_TLS12_SUITES)
    context.set_alpn_protocols(["http/1.1"])
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    if client_certificates:
        try:
            context.load_verify_locations(cadata=material.trust_pem.decode("ascii"))
        except (ssl.SSLError, ValueError) as cause:
            raise ListenerCertificateRefused("The roots that client certificates are checked against cannot be read.") from cause
        context.verify_mode = ssl.CERT_OPTIONAL
        if not context.cert_store_stats()["x509"]:
            raise ListenerCertificateRefused("There is no root to check client certificates against.")
    _load(context, material)
    return context


class LiveContext:
    """The context of a listener that serves, and how it takes over new material without dropping a connection."""

    def __init__(self, material: TlsMaterial, *, client_certificates: bool) -> None:
        self.context = server_context(material, client_certificates=client_certificates)
        self.material = material
        self.client_certificates = client_certificates

    def adopt(self, material: TlsMaterial) -> bool:
        """Serve `material` from the next handshake on. True where that took a new context, which must be listened with.

        The context in use keeps its session tickets, which the workers share; but a certificate with another kind of key would
        stand beside the old one in it, and a root cannot be taken out of it. Raises ListenerCertificateRefused, changing nothing.
        """
        if material == self.material:
            return False
        fresh = server_context(material, client_certificates=self.client_certificates)
        distrusted = set(pem.certificates(self.material.trust_pem)).difference(pem.certificates(material.trust_pem))
        renewed = _kind_of_key(material) == _kind_of_key(self.material) and not (self.client_certificates and distrusted)
        if renewed:
            _load(self.context, material)
            if self.client_certificates:
                self.context.load_verify_locations(cadata=material.trust_pem.decode("ascii"))
        else:
            self.context = fresh
        self.material = material
        return not renewed


def _kind_of_key(material: TlsMaterial) -> type:
    return type(x509.load_pem_x509_certificate(material.chain_pem).public_key())


def _load(context: ssl.SSLContext, material: TlsMaterial) -> None:
    try:
        with _unnamed_file(material.chain_pem) as chain, _unnamed_file(material.key_pem) as key:
            context.load_cert_chain(chain, key, password=_refuse_password)
    except (ssl.SSLError, ValueError) as cause:
        where = f": {material.files}" if material.files else ""
        raise ListenerCertificateRefused(
            f"The server certificate and its key cannot be read, or do not belong together{where}.",
            hint="The file of tls.certificate must begin with the server's own certificate;"
            " that of tls.key must hold its private key in PEM, without a password.",
        ) from cause


def _refuse_password() -> NoReturn:
    raise ValueError("the key is encrypted")


@contextmanager
def _unnamed_file(content: bytes) -> Iterator[str]:
    """`content` under a path that only this process can open: the TLS library reads keys from files alone."""
    descriptor = os.memfd_create("tls", os.MFD_CLOEXEC)
    try:
        view = memoryview(content)
        while view:
            view = view[os.write(descriptor, view) :]
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)
