"""Which redirect URIs a request may name, and the responses to them. Pure.

Comparison is by exact string (RFC 9700, section 2.1), with one exemption: a program on the person's own computer cannot
know its port beforehand, so the port of a loopback address is free (RFC 8252, section 7.3).
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlencode

from sealwright.client_metadata import has_permitted_scheme, loopback_parts
from sealwright.oauth.models import Client


def is_claimed(uri: str) -> bool:
    """True where only the owner of a host name gets the response (RFC 8252, section 7.2).

    Any program may listen at a loopback address, or call a scheme its own.
    """
    return uri.startswith("https://")


def is_allowed(client: Client, uri: str) -> bool:
    """True where a request of `client` may name `uri`."""
    known = {client.landing_url, *client.redirect_uris}
    loopback = loopback_parts(uri)
    if loopback is None:
        return uri in known and has_permitted_scheme(uri, client)
    if client.is_public:
        return client.localhost_redirects or uri in known or any(loopback_parts(one) == loopback for one in known)
    # A server has its fixed place; only a program that starts when it is needed cannot know its port.
    return uri in known or (client.localhost_redirects and any(loopback_parts(one) == loopback for one in known))


def with_parameters(uri: str, parameters: Iterable[tuple[str, str | None]], *, fragment: bool = False) -> str:
    """`uri` with the parameters that have a value, keeping what is in it already (RFC 6749, section 3.1.2)."""
    text = urlencode([(name, value) for name, value in parameters if value is not None])
    if not text:
        return uri
    if fragment:
        return f"{uri}#{text}"
    _, question_mark, query = uri.partition("?")
    if not question_mark:
        return f"{uri}?{text}"
    return f"{uri}{text}" if not query or query.endswith("&") else f"{uri}&{text}"
