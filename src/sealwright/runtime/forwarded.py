"""Whose address ``X-Forwarded-For`` names.

Each proxy appends the address that it was asked from, so the header is read from its end: elements that are proxies of ours
are passed over, and the first other one is the client. Anyone may have written what stands before it. Where an element
cannot be read (``unknown``, a name), the walk ends at the proxy that wrote it: nothing further is believed.

Proxies write addresses in more ways than one: with a port, in brackets, with a zone, as IPv4 within IPv6. All of them are the
same client. ``Forwarded`` (RFC 7239) is not read: a proxy sets one of the two and passes the other on as the client wrote it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from sealwright.ip import IpAddress, plain_address

_LONGEST_ELEMENT = 100
_MOST_ELEMENTS = 100


class ForwardedClient(NamedTuple):
    """Who asked, as far as our proxies tell."""

    address: str
    unread: str = ""
    """The element that ended the walk, because it is not an address."""


def client_of(forwarded: str, proxy: str, is_proxy: Callable[[IpAddress], bool]) -> ForwardedClient:
    """The client behind `proxy`, our peer; `forwarded` holds the lines of the header, joined by commas."""
    nearest = proxy
    for element in reversed(forwarded.rsplit(",", _MOST_ELEMENTS)[-_MOST_ELEMENTS:]):
        text = element.strip(" \t")
        if not text:  # RFC 9110, section 5.6.1: empty elements do not count
            continue
        address = read_address(text)
        if address is None:
            return ForwardedClient(nearest, text[:_LONGEST_ELEMENT])
        nearest = str(address)
        if not is_proxy(address):
            break
    return ForwardedClient(nearest)


def read_address(text: str) -> IpAddress | None:
    """The address in one element, without its port and zone; None where there is none."""
    if len(text) > _LONGEST_ELEMENT:
        return None
    if text.startswith('"') and text.endswith('"'):
        text = text[1:-1]
    if text.startswith("["):
        host, bracket, port = text[1:].partition("]")
        sound = bool(bracket) and ":" in host and (not port or (port[0] == ":" and _is_port(port[1:])))
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
        sound = _is_port(port)
    else:
        host, sound = text, True
    return plain_address(host) if sound else None


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= len("65535")
