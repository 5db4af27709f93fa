"""Redirect URIs: which may be registered, and which one a request may name. Pure.

Comparison is by exact string (RFC 9700, section 2.1), with one exemption: a program on the person's own computer cannot
know its port beforehand, so the port of a loopback address is free (RFC 8252, section 7.3).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import urlencode, urlsplit

from sealwright.oauth.errors import ClientRefused
from sealwright.oauth.models import Client, ClientKind, ResponseMode

MAX_LENGTH = 2_048
HIGHEST_PORT = 65_535

_REST = r"(?P<rest>(?:/[A-Za-z0-9._~!$&'()+,;=:@%-]*)*(?:\?[A-Za-z0-9._~!$&'()+,;=:@%/?-]*)?)"
_LOOPBACK = re.compile(r"http://(?P<host>127\.0\.0\.1|\[::1\]|localhost)(?::(?P<port>[0-9]{1,5}))?" + _REST)
_HTTPS = re.compile(
    r"https://(?P<host>[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[0-9]{1,5}))?" + _REST
)
_PRIVATE_USE = re.compile(r"[a-z][a-z0-9-]*(?:\.[a-z0-9-]+)+:/{0,3}[A-Za-z0-9._~!$&'()+,;=:@%/?-]*")


def loopback_parts(uri: str) -> tuple[str, str] | None:
    """Host, and path with query, of an http URI on the person's own computer; None for any other URI."""
    match = _LOOPBACK.fullmatch(uri)
    if match is None or not _port_fits(match["port"]) or len(uri) > MAX_LENGTH:
        return None
    return match["host"], match["rest"]


def require_redirect_uri(uri: str, kind: ClientKind) -> None:
    """Raise ClientRefused, naming the next step, unless `uri` may be registered."""
    _require_plain(uri)
    if loopback_parts(uri) is not None or _is_https(uri):
        return
    if kind is ClientKind.PUBLIC and _PRIVATE_USE.fullmatch(uri):
        return
    raise ClientRefused(f"The redirect URI {uri!r} is not allowed.", reasons=(_why_not(uri, kind),), hint=_next_step(uri, kind))


def require_landing_url(url: str) -> None:
    """Raise ClientRefused unless `url` can be the page that people are sent to."""
    _require_plain(url)
    if loopback_parts(url) is None and not _is_https(url):
        raise ClientRefused(
            f"The landing URL {url!r} is not allowed.",
            reasons=(_why_not(url, ClientKind.CONFIDENTIAL),),
            hint=_next_step(url, ClientKind.CONFIDENTIAL),
        )


def is_allowed(client: Client, registered: Iterable[str], uri: str) -> bool:
    """True where a request of `client` may name `uri`; `registered` are its redirect URIs."""
    known = {client.landing_url, *registered}
    if uri in known:
        return True
    loopback = loopback_parts(uri)
    if loopback is None:
        return False
    if client.localhost_redirects and client.is_public:
        return True
    return any(loopback_parts(one) == loopback for one in known)


def with_parameters(uri: str, mode: ResponseMode, parameters: Iterable[tuple[str, str | None]]) -> str:
    """`uri` with the parameters that have a value, keeping what is in it already (RFC 6749, section 3.1.2)."""
    text = urlencode([(name, value) for name, value in parameters if value is not None])
    if mode is ResponseMode.FRAGMENT:
        return f"{uri}#{text}"
    if "?" not in uri:
        return f"{uri}?{text}"
    return f"{uri}{text}" if uri.endswith(("?", "&")) else f"{uri}&{text}"


def _require_plain(uri: str) -> None:
    if len(uri) > MAX_LENGTH:
        raise ClientRefused(f"The URL is {len(uri)} characters long; at most {MAX_LENGTH} are allowed.")
    if "#" in uri:
        raise ClientRefused(
            f"The URL {uri!r} has a fragment.",
            reasons=("an answer in a URL with a fragment of its own would be lost (RFC 6749, section 3.1.2)",),
            hint="Give it without the part from # on.",
        )
    if "*" in uri:
        raise ClientRefused(
            f"The URL {uri!r} has a wildcard.",
            reasons=("redirect URIs are compared exactly",),
            hint="Add each redirect URI by itself with add-redirect-url.",
        )


def _is_https(uri: str) -> bool:
    match = _HTTPS.fullmatch(uri)
    return match is not None and _port_fits(match["port"])


def _port_fits(port: str | None) -> bool:
    return port is None or 0 < int(port) <= HIGHEST_PORT


def _why_not(uri: str, kind: ClientKind) -> str:
    try:
        parts = urlsplit(uri)
    except ValueError:
        return "it is no URL"
    if not uri.startswith(parts.scheme):
        return "its scheme is written in capital letters; URLs are compared exactly, as applications send them"
    if parts.username is not None or parts.password is not None:
        return "it holds a user name or password before the host"
    if "." in parts.scheme and kind is ClientKind.CONFIDENTIAL:
        return "only public clients, which run on a person's device, use a scheme of their own"
    known = {
        "": "it does not start with https://",
        "http": "over plain http an answer could be read on its way; only addresses of the person's own computer may use it",
        "https": "its host, port or path is not valid; hosts with other letters are written in their xn-- form",
    }
    return known.get(parts.scheme, f"the scheme {parts.scheme}: is not one that an application can own")


def _next_step(uri: str, kind: ClientKind) -> str:
    if uri.startswith("http://"):
        return "Use https://, or http://127.0.0.1, http://[::1] or http://localhost for a program on the person's own computer."
    if kind is ClientKind.PUBLIC:
        return "Give an https:// URL, a loopback address, or a scheme in reverse domain form such as com.example.app:/callback."
    return "Give the https:// URL, without a user name, exactly as the application sends it."
