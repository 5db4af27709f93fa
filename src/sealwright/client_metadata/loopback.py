"""Addresses of the person's own computer (RFC 8252, section 7.3). Pure."""

from __future__ import annotations

import re

LONGEST_URI = 2_048
HIGHEST_PORT = 65_535

REST = r"(?P<rest>(?:/[A-Za-z0-9._~!$&'()+,;=:@%-]*)*(?:\?[A-Za-z0-9._~!$&'()+,;=:@%/?-]*)?)"
"""Path and query of a URI that a response can be sent to."""

_BYTE = r"(?:0|[1-9][0-9]?|1[0-9]{2}|2[0-4][0-9]|25[0-5])"
_LOOPBACK = re.compile(rf"http://(?P<host>127(?:\.{_BYTE}){{3}}|\[::1\]|localhost)(?::(?P<port>[0-9]{{1,5}}))?" + REST)


def loopback_parts(uri: str) -> tuple[str, str] | None:
    """Host, and path with query, of an http URI on the person's own computer; None for any other URI."""
    match = _LOOPBACK.fullmatch(uri)
    if match is None or not is_valid_port(match["port"]) or len(uri) > LONGEST_URI:
        return None
    return match["host"], match["rest"]


def is_valid_port(port: str | None) -> bool:
    """True where a port is left out or can be one."""
    return port is None or 0 < int(port) <= HIGHEST_PORT
