"""The peer behind a proxy: believed only from the addresses that the settings name.

A proxy tells the client's address in ``X-Forwarded-For`` and, where it asked for one, the client's certificate in
``Client-Cert`` (RFC 9440). It has seen the proof of possession; whether the certificate is one of ours is checked here.
"""

from __future__ import annotations

import base64
import ipaddress
from collections.abc import Mapping, Sequence
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.x509.oid import ExtendedKeyUsageOID

from sealwright.clock import Clock, to_datetime
from sealwright.errors import InvalidInput
from sealwright.wire import Peer

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_LONGEST_CERTIFICATE = 16_384


class Proxies:
    """Which peers are proxies, and who is behind them."""

    def __init__(self, networks: Sequence[Network], clock: Clock) -> None:
        self._networks = tuple(networks)
        self._clock = clock

    def include(self, address: str) -> bool:
        """Whether a peer at this address is believed."""
        if not self._networks:
            return False
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._networks)

    def client(self, proxy: Peer, headers: Mapping[str, str], trust_pem: bytes) -> Peer:
        """Whom `proxy` speaks for. A certificate that does not chain to `trust_pem` raises InvalidInput.

        The proxy's own certificate, if it has one, proves nothing about the client.
        """
        presented = headers.get("client-cert")
        certificate = None if presented is None else self._checked(_octets(presented), trust_pem)
        return Peer(self._address(proxy, headers.get("x-forwarded-for", "")), certificate)

    def _address(self, proxy: Peer, forwarded: str) -> str:
        """The last address that no proxy of ours added; what comes before it anybody may have written."""
        nearest = proxy.address
        for part in reversed(forwarded.split(",")):
            try:
                nearest = str(ipaddress.ip_address(part.strip()))
            except ValueError:
                break
            if not self.include(nearest):
                break
        return nearest

    def _checked(self, der: bytes, trust_pem: bytes) -> bytes:
        try:
            certificate = x509.load_der_x509_certificate(der)
            usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        except ValueError as cause:
            raise InvalidInput("The Client-Cert header does not hold a certificate.") from cause
        except x509.ExtensionNotFound:
            usages = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
        now = to_datetime(self._clock.now())
        valid = certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc
        issued_here = any(_is_issued_by(certificate, anchor) for anchor in _anchors(trust_pem))
        if not valid or not issued_here or ExtendedKeyUsageOID.CLIENT_AUTH not in usages:
            raise InvalidInput("The client certificate was not issued here for clients, or is not valid now.")
        return der


def _octets(field: str) -> bytes:
    """A byte sequence of RFC 8941: base64 between colons."""
    if len(field) > _LONGEST_CERTIFICATE or not (field.startswith(":") and field.endswith(":")):
        raise InvalidInput("The Client-Cert header is not what RFC 9440 asks for.")
    try:
        return base64.b64decode(field[1:-1], validate=True)
    except ValueError as cause:
        raise InvalidInput("The Client-Cert header is not what RFC 9440 asks for.") from cause


@lru_cache(maxsize=4)
def _anchors(trust_pem: bytes) -> tuple[x509.Certificate, ...]:
    return tuple(x509.load_pem_x509_certificates(trust_pem)) if trust_pem else ()


def _is_issued_by(certificate: x509.Certificate, anchor: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(anchor)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True
