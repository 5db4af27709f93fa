"""The peer behind a proxy: believed only from the addresses that the settings name.

A proxy tells the client's address in ``X-Forwarded-For`` and, where it asked for one, the client's certificate in
``Client-Cert`` (RFC 9440). The two are believed apart: nearly every proxy writes the first, while one that does not take the
second away from what clients send lets anyone claim any certificate.
"""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.x509.oid import ExtendedKeyUsageOID
from msgspec import Struct

from sealwright.clock import Clock, to_datetime
from sealwright.errors import InvalidInput
from sealwright.http import Peer
from sealwright.ip import IpAddress, IpNetwork, plain_address
from sealwright.runtime.certificate_headers import CERTIFICATE_HEADERS, CHAIN_HEADER, USUAL_HEADER, certificate_in
from sealwright.runtime.forwarded import client_of
from sealwright.runtime.throttled_log import ThrottledLog

CERTIFICATE_FIELDS = frozenset({*CERTIFICATE_HEADERS, CHAIN_HEADER})
"""Taken out of every request: what they hold is in the peer where it is believed, and nowhere else."""


class ListedProxies(Struct, frozen=True):
    """The proxies that the settings name."""

    address: tuple[IpNetwork, ...] = ()
    """Believed about the address of a client."""
    certificate: tuple[IpNetwork, ...] = ()
    """Believed about the certificate of a client."""
    certificate_header: str = USUAL_HEADER
    """The header in which they send it, in lower case."""


class Proxies:
    """Which peers are proxies, and who is behind them."""

    def __init__(self, listed: ListedProxies, clock: Clock, tell_unread: ThrottledLog) -> None:
        """`tell_unread` is called where a proxy writes an address that cannot be read."""
        self._listed = listed
        self._clock = clock
        self._tell_unread = tell_unread

    def include(self, address: str) -> bool:
        """Whether a peer at this address is believed about anything."""
        return self.tell_address(address) or self.tell_certificate(address)

    def tell_address(self, address: str) -> bool:
        """Whether a peer is believed about the address of a client."""
        return _is_within(address, self._listed.address)

    def tell_certificate(self, address: str) -> bool:
        """Whether a peer is believed about the certificate of a client."""
        return _is_within(address, self._listed.certificate)

    def client(self, proxy: Peer, headers: MutableMapping[str, str], trust_pem: bytes) -> Peer:
        """Whom `proxy` speaks for. A certificate counts where it chains to `trust_pem`; without any, none is looked at.

        The proxy's own certificate, if it has one, proves nothing about the client.
        """
        header = self._listed.certificate_header
        presented = headers.get(header, "")
        for each in CERTIFICATE_FIELDS:
            headers.pop(each, None)
        address = proxy.address
        if self.tell_address(address):
            client = client_of(headers.get("x-forwarded-for", ""), address, self._is_listed)
            if client.unread:
                self._tell_unread(proxy=proxy.address, element=client.unread)
            address = client.address
        if not trust_pem or not presented.strip(":") or not self.tell_certificate(proxy.address):
            return Peer(address)
        try:
            return Peer(address, forwarded_certificate=self._checked(certificate_in(header, presented), trust_pem))
        except InvalidInput as refusal:
            return Peer(address, forwarding_fault=refusal.detail)

    def _is_listed(self, address: IpAddress) -> bool:
        return any(address in network for network in self._listed.address)

    def _checked(self, der: bytes, trust_pem: bytes) -> bytes:
        try:
            certificate = x509.load_der_x509_certificate(der)
            usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        except (ValueError, x509.InvalidVersion, x509.DuplicateExtension) as cause:
            raise InvalidInput(f"The {self._listed.certificate_header.title()} header does not hold a certificate.") from cause
        except x509.ExtensionNotFound:
            usages = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
        now = to_datetime(self._clock.now())
        valid = certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc
        issued_here = any(_is_issued_by(certificate, anchor) for anchor in _anchors(trust_pem))
        if not valid or not issued_here or ExtendedKeyUsageOID.CLIENT_AUTH not in usages:
            raise InvalidInput("The client certificate was not issued here for clients, or is not valid now.")
        return der


def _is_within(address: str, networks: Sequence[IpNetwork]) -> bool:
    if not networks:
        return False
    parsed = plain_address(address)
    return parsed is not None and any(parsed in network for network in networks)


@lru_cache(maxsize=4)
def _anchors(trust_pem: bytes) -> tuple[x509.Certificate, ...]:
    return tuple(x509.load_pem_x509_certificates(trust_pem)) if trust_pem else ()


def _is_issued_by(certificate: x509.Certificate, anchor: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(anchor)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True
