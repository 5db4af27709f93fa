"""The addresses of a client that this server calls by itself: they are registered only where they could be called."""

from __future__ import annotations

from collections.abc import Collection

from sealwright.client_metadata import ClientMetadata, ClientRefused, rows
from sealwright.outbound import Outbound

CALLED_URLS = ("backchannel_logout_uri", "jwks_uri")


def require_callable(client: ClientMetadata, members: Collection[str], outbound: Outbound) -> None:
    """Raise ClientRefused where one of `members`, which are being set, is an address that is never called.

    Those that stand there already are not judged again: the settings may have changed since.
    """
    for name in CALLED_URLS:
        url = getattr(client, name)
        if name in members and url and not outbound.allows_scheme_of(url):
            raise ClientRefused(
                f"{name} of {client.name} is {url[:200]!r}, which this server would have to call over plain http.",
                reasons=("it never does while outbound.allow_http is off",),
                hint=f"Give the {rows()[name].declared.label} as an https:// URL.",
            )
