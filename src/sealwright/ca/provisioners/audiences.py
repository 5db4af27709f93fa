"""What a token of ours must be addressed to."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum
from urllib.parse import urlsplit

from sealwright.ca.provisioners.errors import CredentialRefused

LEGACY = "step-certificate-authority"
"""What clients of old wrote for sign and revoke, whatever the server's name."""
MOST_REMEMBERED = 1_000


class TokenPurpose(StrEnum):
    """What a token may be for; the value is the last part of the audience's path."""

    SIGN = "sign"
    RENEW = "renew"
    REVOKE = "revoke"


_ADDRESS = re.compile(r"https?://[^/?#]+(?:/1\.0)?/(?:(?:ssh/)?sign|renew|revoke)")
_TWINS = {TokenPurpose.SIGN: ("sign", "ssh/sign"), TokenPurpose.RENEW: ("renew",), TokenPurpose.REVOKE: ("revoke",)}
_LEGACY = frozenset({TokenPurpose.SIGN, TokenPurpose.REVOKE})


class Audiences:
    """The audiences of one server: every name that it is reached by, with and without ``/1.0``. Ports do not count."""

    def __init__(self, dns_names: Iterable[str]) -> None:
        """`dns_names`: names and addresses by which clients reach the server."""
        hosts = [_host(name) for name in dns_names]
        self._accepted = {
            operation: frozenset(f"https://{host}{prefix}/{path}" for host in hosts for prefix in ("", "/1.0") for path in paths)
            for operation, paths in _TWINS.items()
        }
        self._remembered: dict[str, frozenset[TokenPurpose]] = {}

    def match(self, audiences: Iterable[str], operation: TokenPurpose) -> bool:
        """Whether one of `audiences` is this server's for `operation`."""
        for audience in audiences:  # noqa: SIM110 - a generator for any() takes longer than what it asks
            if operation in self._operations(audience):
                return True
        return False

    def match_any(self, audiences: Iterable[str]) -> bool:
        """Whether one of `audiences` is this server's, for whatever operation."""
        for audience in audiences:  # noqa: SIM110 - as above
            if self._operations(audience):
                return True
        return False

    def _operations(self, audience: str) -> frozenset[TokenPurpose]:
        """What a token with this audience may be for. The same few audiences come again and again."""
        known = self._remembered.get(audience)
        if known is None:
            if len(self._remembered) >= MOST_REMEMBERED:
                self._remembered.clear()
            known = self._remembered[audience] = self._read(audience)
        return known

    def _read(self, audience: str) -> frozenset[TokenPurpose]:
        if audience == LEGACY:
            return _LEGACY
        plain = _without_port(audience)
        return frozenset(operation for operation, accepted in self._accepted.items() if audience in accepted or plain in accepted)


def is_address(audience: str) -> bool:
    """Whether it is where an authority, ours or another, takes one of these operations."""
    return _ADDRESS.fullmatch(audience) is not None


def addressed_elsewhere(audiences: Iterable[str], operation: TokenPurpose) -> CredentialRefused:
    """What to raise for a token with these audiences, none of which is this server's for `operation`."""
    return CredentialRefused(
        f"The token is not addressed to this server's {operation}, but to {', '.join(audiences)[:200]}.",
        hint="The name by which the server is called must be one of its dns_names.",
    )


def _host(name: str) -> str:
    return f"[{name}]" if ":" in name and not name.startswith("[") else name.lower()


def _without_port(audience: str) -> str:
    """The address without its port; a host is the same in capitals."""
    try:
        parts = urlsplit(audience)
        host = parts.hostname
    except ValueError:
        return audience
    if host is None or parts.query or parts.fragment:
        return audience
    return f"{parts.scheme}://{_host(host)}{parts.path}"
