"""Clients that prove themselves in the TLS handshake (RFC 8705, section 2)."""

from __future__ import annotations

from sealwright.ca import CertificateRefused, ClientCertificate, ClientCertificates, Name, NameType, why_not_valid
from sealwright.client_metadata import SUBJECT_MEMBERS, comparable_name, parse_name
from sealwright.clock import Clock
from sealwright.hosts import address_of, canonical_host, canonical_mail
from sealwright.http import Peer
from sealwright.oauth.client_authentication.errors import NotProven
from sealwright.oauth.client_authentication.key_sets import ClientKeySets
from sealwright.oauth.models import Client

_SAN_TYPES = {
    "tls_client_auth_san_dns": NameType.DNS,
    "tls_client_auth_san_uri": NameType.URI,
    "tls_client_auth_san_ip": NameType.IP,
    "tls_client_auth_san_email": NameType.EMAIL,
}


class CertificateProof:
    """Compares the certificate of the connection with what the client registered."""

    def __init__(self, certificates: ClientCertificates, key_sets: ClientKeySets, clock: Clock) -> None:
        self._certificates = certificates
        self._key_sets = key_sets
        self._clock = clock

    async def require(self, client: Client, peer: Peer, method: str) -> None:
        """Raise NotProven unless the connection has a certificate that proves the client."""
        if peer.shown_certificate is None:
            raise NotProven("no client certificate was shown", peer.forwarding_fault)
        if method == "tls_client_auth":
            await self._require_ours(client, peer.shown_certificate)
        else:
            await self._require_registered(client, peer.certificate)

    async def _require_ours(self, client: Client, der: bytes) -> None:
        try:
            shown = await self._certificates.authenticate(der)
        except CertificateRefused as cause:
            raise NotProven(cause.kind, cause.detail) from cause
        if not has_registered_name(client, shown):
            member, value = registered_name(client)
            raise NotProven(
                "the certificate does not have the registered name",
                f"the certificate {shown.serial} does not have the name that is registered as {member}: {value}",
            )

    async def _require_registered(self, client: Client, der: bytes | None) -> None:
        """A self-signed certificate proves that its holder has the key; what makes it the client's is that it is registered."""
        if der is None:
            raise NotProven("a self-signed certificate counts over a connection of its own only, not through a proxy")
        if der not in await self._key_sets.certificates(client) and der not in await self._key_sets.certificates_anew(client):
            raise NotProven("the certificate is none of those that the client registered (x5c)")
        ended = why_not_valid(der, self._clock.now())
        if ended:
            raise NotProven("the certificate is not valid at this time", ended)


def registered_name(client: Client) -> tuple[str, str]:
    """The one name that a certificate of the client has to have: the member, and its value."""
    found = [(member, value) for member in SUBJECT_MEMBERS if (value := getattr(client, member)) is not None]
    if len(found) != 1:
        raise NotProven("the client has not registered exactly one name of its certificate")
    return found[0]


def has_registered_name(client: Client, shown: ClientCertificate) -> bool:
    """Whether a certificate has the name that the client registered, in the place that it registered."""
    member, value = registered_name(client)
    if member == "tls_client_auth_subject_dn":
        return bool(shown.subject) and parse_name(value) == comparable_name(shown.subject)
    kind = _SAN_TYPES[member]
    return any(name.type is kind and _same(name, value) for name in shown.names)


def _same(name: Name, value: str) -> bool:
    if name.type is NameType.IP:
        return address_of(name.value) == address_of(value)
    if name.type is NameType.DNS:
        return name.value == canonical_host(value)
    return name.value == (canonical_mail(value) if name.type is NameType.EMAIL else value)
