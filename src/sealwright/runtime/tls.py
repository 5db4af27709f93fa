"""TLS of the listeners: contexts, and how a new server certificate gets into one that is in use."""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NoReturn

from cryptography import x509

from sealwright.errors import Refused
from sealwright.jose import KeyRefused
from sealwright.keys import from_pem
from sealwright.runtime.any_certificate import AnyCertificateContext
from sealwright.runtime.tls_alerts import AlertingContext

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

    The handshake proves that the peer holds the key of its certificate; whose it is, and whether it holds, is for the program to
    say. Raises ListenerCertificateRefused.
    """
    if client_certificates:
        return _taking_any(material)
    context = AlertingContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(_TLS12_SUITES)
    context.set_alpn_protocols(["http/1.1"])
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
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

        The context in use keeps its session tickets, which the workers share. But a certificate with another kind of key would
        stand beside the old one in it, and one that takes any client certificate cannot be changed while it is in use: after
        that, sessions resume at the same worker only. Raises ListenerCertificateRefused, changing nothing.
        """
        if material == self.material:
            return False
        fresh = server_context(material, client_certificates=self.client_certificates)
        renewed = not self.client_certificates and _kind_of_key(material) == _kind_of_key(self.material)
        if renewed:
            _load(self.context, material)
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
        raise _unusable(material) from cause


def _taking_any(material: TlsMaterial) -> ssl.SSLContext:
    try:
        with _unnamed_file(material.chain_pem) as chain:
            key = from_pem(material.key_pem)
            return AnyCertificateContext(chain, key, suites=_TLS12_SUITES, protocols=(b"http/1.1",))
    except (KeyRefused, ValueError) as cause:
        raise _unusable(material) from cause


def _unusable(material: TlsMaterial) -> ListenerCertificateRefused:
    where = f": {material.files}" if material.files else ""
    return ListenerCertificateRefused(
        f"The server certificate and its key cannot be read, or do not belong together{where}.",
        hint="The file of tls.certificate must begin with the server's own certificate;"
        " that of tls.key must hold its private key in PEM, without a password.",
    )


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
