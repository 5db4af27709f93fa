"""The certificate that the listeners serve: from files, or from our own authority, renewed at two thirds of its life.

One that is not valid yet, because the clock was put back, is replaced as well.

It lies in a file of the home directory, so that all workers of a node, and the next start, serve the same one.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from cryptography import x509

from sealwright.app.home import write_whole
from sealwright.ca import CertificateAuthority, certificates_pem, issue_server_certificate
from sealwright.clock import Clock, Instant, after, between, from_datetime
from sealwright.runtime.tls import ListenerCertificateRefused, TlsMaterial, server_context
from sealwright.settings import Tls

_KEY_MARK = b"-----BEGIN PRIVATE KEY-----"
_LIFE_BEFORE_RENEWAL = 2 / 3


class ListenerCertificate:
    """The certificate to serve now; makes a new one when it is time."""

    def __init__(self, authority: CertificateAuthority, clock: Clock, *, file: Path, names: Sequence[str], given: Tls) -> None:
        """`file`: where it is kept; `names`: what it must be good for, the main one first; `given`: files in its place."""
        self._authority = authority
        self._clock = clock
        self._file = file
        self._names = tuple(dict.fromkeys(names))
        self._given = given

    async def material(self) -> TlsMaterial:
        """Certificate, key, and the roots that client certificates chain to."""
        held = await self.held()
        return _material(await self._renew(), await self._trust()) if held is None else held

    async def held(self) -> TlsMaterial | None:
        """The same as far as it is there; None where `material` would make a new certificate."""
        if self._given.certificate is not None and self._given.key is not None:
            certificate, key = self._given.certificate, self._given.key
            return TlsMaterial(_read(certificate), _read(key), await self._trust(), files=f"{certificate}, {key}")
        own = self._read_own()
        return None if own is None else _material(own, await self._trust())

    def names_missing_in(self, certificate: x509.Certificate) -> frozenset[str]:
        """Names by which this server is reached and for which the certificate is not valid."""
        try:
            names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        except x509.ExtensionNotFound:
            return frozenset(self._names)
        held = {str(name.value) for name in names}
        return frozenset(each for each in self._names if each not in held and f"*.{each.partition('.')[2]}" not in held)

    async def _trust(self) -> bytes:
        return certificates_pem([record.certificate_der for record in await self._authority.issuers.records()]).encode()

    def _read_own(self) -> bytes | None:
        """The kept certificate and key, unless it is time for new ones or they cannot be served."""
        try:
            held = self._file.read_bytes()
            leaf = x509.load_pem_x509_certificate(held)
            server_context(_material(held, b""), client_certificates=False)
        except (FileNotFoundError, ValueError, ListenerCertificateRefused):
            return None
        begin = from_datetime(leaf.not_valid_before_utc)
        serves = begin <= self._clock.now() < renew_at(begin, from_datetime(leaf.not_valid_after_utc))
        return held if serves and not self.names_missing_in(leaf) else None

    async def _renew(self) -> bytes:
        """Make one, unless another process of this node has just done so."""
        lock = os.open(f"{self._file}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            held = self._read_own()
            if held is None:
                made = await issue_server_certificate(self._authority.issuance, self._names)
                held = made.chain_pem.encode() + made.key_pem
                write_whole(self._file, held)
            return held
        finally:
            os.close(lock)


def _material(own: bytes, trust: bytes) -> TlsMaterial:
    chain, mark, key = own.partition(_KEY_MARK)
    return TlsMaterial(chain, mark + key, trust)


def renew_at(not_before: Instant, not_after: Instant) -> Instant:
    """When two thirds of a certificate's life are over."""
    life = between(not_before, not_after)
    return after(not_before, timedelta(seconds=life.total_seconds() * _LIFE_BEFORE_RENEWAL))


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as cause:
        raise ListenerCertificateRefused(
            f"{file} cannot be read: {cause.strerror}.", hint="See tls.certificate and tls.key in settings.toml."
        ) from cause
