"""IP addresses of peers: the one form in which they are compared, and the network by which they are counted."""

from __future__ import annotations

import ipaddress
from functools import lru_cache

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

_SUBSCRIBER = 64  # bits of an IPv6 address that a provider gives to one subscriber


def plain_address(text: str) -> IpAddress | None:
    """An address without its zone, and IPv4 as such where it comes within IPv6; None where the text is not an address."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def is_ip_address(text: str) -> bool:
    """Whether the text is an IPv4 or IPv6 address."""
    return plain_address(text) is not None


@lru_cache(maxsize=4_096)
def network_of(text: str) -> str:
    """What counts as one peer: an IPv4 address, or the /64 network of an IPv6 one. Any other text stays as it is."""
    address = plain_address(text)
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, _SUBSCRIBER), strict=False))
    return text if address is None else str(address)
