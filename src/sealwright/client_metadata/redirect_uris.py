"""Redirect URIs and landing URLs that may be registered. Pure."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from sealwright.client_metadata.errors import ClientRefused
from sealwright.client_metadata.loopback import LONGEST_URI, REST, is_valid_port, loopback_parts
from sealwright.errors import Action, Remedy
from sealwright.hosts import URL_HOST

_WEB = re.compile(rf"https?://(?P<host>{URL_HOST})(?::(?P<port>[0-9]{{1,5}}))?" + REST)
_OWN_SCHEME = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*):/{0,3}[A-Za-z0-9._~!$&'()+,;=:@%/?-]*")

_RUN_OR_SHOW = """
    javascript vbscript livescript mocha data blob file filesystem jar view-source about content intent android-app
"""
_LEAD_INTO_THE_SYSTEM = """
    chrome chrome-extension chrome-untrusted devtools edge opera brave vivaldi moz-extension resource res mhtml mk
    itms-services search search-ms ldap ldaps afp nfs smb cifs ssh sftp telnet rlogin tn3270 rdp vnc shell
"""
_CARRY_NO_ANSWER = """
    http https ws wss ftp ftps gopher nntp news irc ircs mailto tel sms mms sip sips urn tag cid mid magnet wais
"""
_TAKEN_SCHEMES = frozenset((_RUN_OR_SHOW + _LEAD_INTO_THE_SYSTEM + _CARRY_NO_ANSWER).split())
"""Schemes that no application can own. Others may be registered: their owner is known to the one who registers them."""


def require_redirect_uri(uri: str, *, plain_http: bool = False) -> None:
    """Raise ClientRefused, naming the next step, unless `uri` may be registered; `plain_http` is the client's switch."""
    _require_plain(uri)
    if loopback_parts(uri) is not None or _is_web(uri, plain_http=plain_http) or _has_own_scheme(uri):
        return
    raise ClientRefused(
        f"The redirect URI {uri!r} is not allowed.", reasons=(_why_not(uri),), hint=_next_step(uri), remedy=_remedy(uri)
    )


def require_landing_url(url: str, *, plain_http: bool = False) -> None:
    """Raise ClientRefused unless `url` can be the page that people are sent to."""
    _require_plain(url)
    if loopback_parts(url) is None and not _is_web(url, plain_http=plain_http):
        why = "a scheme of an application's own is not a page" if _has_own_scheme(url) else _why_not(url)
        hint = _next_step(url, page=True)
        raise ClientRefused(f"The landing URL {url!r} is not allowed.", reasons=(why,), hint=hint, remedy=_remedy(url))


def require_clients_redirect_uri(uri: str, client: Any) -> None:
    """The same, with the switch of a client."""
    require_redirect_uri(uri, plain_http=client.http_redirects)


def require_clients_landing_url(url: str, client: Any) -> None:
    """The same for the page that people are sent to."""
    require_landing_url(url, plain_http=client.http_redirects)


def require_backchannel_uri(uri: str, client: Any) -> None:
    """Raise ClientRefused unless the server may post logout tokens of a client to `uri`."""
    _require_logout_uri(uri, client)


def require_frontchannel_uri(uri: str, client: Any) -> None:
    """Raise ClientRefused unless the browser may load `uri` at a logout: it must be of the origin of a redirect URI.

    (OpenID Connect Front-Channel Logout, section 2.)
    """
    _require_logout_uri(uri, client)
    if not has_origin_of_redirect(uri, client):
        raise ClientRefused(
            f"The logout URL {uri!r} is not allowed.",
            reasons=("it must have scheme, host and port of a redirect URL or of the landing URL",),
            hint=f"Add a redirect URL of {_origin_of(uri)} first, with add-redirect-url.",
        )


def require_initiate_login_uri(uri: str, _client: object = None) -> None:
    """Raise ClientRefused unless people can be sent to `uri` to sign in: over https alone (OpenID Connect Core, section 4)."""
    _require_plain(uri)
    if not _is_web(uri, plain_http=False):
        raise ClientRefused(
            f"The address {uri!r} cannot be where a sign-in begins.", reasons=(_why_not(uri),), hint="Give an https:// URL."
        )


def has_origin_of_redirect(uri: str, client: Any) -> bool:
    """True where `uri` has scheme, host and port of one of the addresses that people of a client are sent to."""
    return _origin_of(uri) in {_origin_of(each) for each in (client.landing_url, *client.redirect_uris)}


def has_permitted_scheme(uri: str, client: Any) -> bool:
    """True unless `uri` leads over plain http to another computer and the client's switch for that is off, or off again."""
    return client.http_redirects or not uri.startswith("http:") or loopback_parts(uri) is not None


def _require_logout_uri(uri: str, client: Any) -> None:
    _require_plain(uri)
    if not _is_web(uri, plain_http=client.http_redirects):
        raise ClientRefused(f"The logout URL {uri!r} is not allowed.", reasons=(_why_not(uri),), hint="Give an https:// URL.")


def _origin_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _require_plain(uri: str) -> None:
    if len(uri) > LONGEST_URI:
        raise ClientRefused(f"The URL is {len(uri)} characters long; at most {LONGEST_URI} are allowed.")
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


def _is_web(uri: str, *, plain_http: bool) -> bool:
    match = _WEB.fullmatch(uri)
    return match is not None and is_valid_port(match["port"]) and (plain_http or uri.startswith("https:"))


def _has_own_scheme(uri: str) -> bool:
    match = _OWN_SCHEME.fullmatch(uri)
    # "localhost:3000/cb" is a forgotten https://, not a scheme: what follows an own scheme's colon is never a port.
    return match is not None and not _is_taken(match["scheme"]) and not uri[match.end("scheme") + 1 :][:1].isdigit()


def _is_taken(scheme: str) -> bool:
    return scheme in _TAKEN_SCHEMES or scheme.startswith("ms-")


def _why_not(uri: str) -> str:
    try:
        parts = urlsplit(uri)
    except ValueError:
        return "it is not a URL"
    if not uri.startswith(parts.scheme):
        return "its scheme is written in capital letters; URLs are compared exactly, as applications send them"
    if parts.scheme in ("http", "https"):
        return _why_no_web_address(uri, user=parts.username is not None or parts.password is not None)
    if not parts.scheme or uri[len(parts.scheme) + 1 :][:1].isdigit():
        return "it does not start with https://"
    if _is_taken(parts.scheme):
        return f"the scheme {parts.scheme}: belongs to the browser, the system or a protocol, and no application can own it"
    return "what follows its scheme is not valid in a URL"


def _why_no_web_address(uri: str, *, user: bool) -> str:
    if user:
        return "it holds a user name or password before the host"
    if _is_web(uri, plain_http=True):
        return "over plain http others can read an answer on its way; only addresses of the person's own computer may use it"
    return "its host, port or path is not valid; hosts with other letters are written in their xn-- form"


def _remedy(uri: str) -> Remedy | None:
    return Remedy(Action.ALLOW_HTTP_REDIRECTS) if uri.startswith("http://") else None


def _next_step(uri: str, *, page: bool = False) -> str:
    if uri.startswith("http://"):
        return "Use https://, or http://127.0.0.1, http://[::1] or http://localhost for a program on the person's own computer."
    if page:
        return "Give an https:// URL, or a loopback address."
    return "Give an https:// URL, a loopback address, or a scheme of the application's own such as com.example.app:/callback."
