"""Every HTTP call that the server makes by itself goes through here: limited in time, size, redirects and addresses.

A host name is resolved once, every address is checked, and the connection goes to a checked address, so that a name that
answers differently the second time gains nothing. Proxies of the environment are not used, redirects are not followed,
connections are not kept: each was authenticated for one name only.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
import ssl
import sys
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import SplitResult, urlencode, urlsplit

from msgspec import Struct, field

from sealwright.errors import Unavailable
from sealwright.traces import STATUS, span

if TYPE_CHECKING:
    import httpx2

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolver = Callable[[str, int], Awaitable[Sequence[IpAddress]]]
"""Host and port → all addresses, in the order to try; none raises OSError."""

MOST_ADDRESSES = 8
LONGEST_URL = 2_048
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_GLOBAL_IPV6 = ipaddress.IPv6Network("2000::/3")
_SPECIAL = tuple(
    ipaddress.ip_network(text)
    for text in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24"),
        *("192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24"),
        *("224.0.0.0/4", "240.0.0.0/4", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"),
    )
)
"""Networks of IANA's special-purpose registries that are not for the public Internet (RFC 6890)."""


class OutboundFailed(Unavailable):
    """A call to another server is not allowed, was not answered in time, or was answered with too much."""

    code = "outbound_failed"


class OutboundResponse(Struct, frozen=True):
    """What another server answered, whole."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case."""
    body: bytes = b""


class Outbound(Protocol):
    """Calls to other servers."""

    def allows_scheme_of(self, url: str) -> bool:
        """Whether a URL of this scheme is called at all: always https, and http where the settings say so."""
        ...

    async def get(
        self,
        url: str,
        *,
        accept: str = "application/json",
        bearer: str = "",
        max_bytes: int = 1_000_000,
        timeout: float = 5.0,  # noqa: ASYNC109 - one deadline for the whole call, stated by the caller
    ) -> OutboundResponse:
        """GET `url`, with a bearer token if there is one. Any status is a response.

        More than `max_bytes` or `timeout` seconds in all raises OutboundFailed.
        """
        ...

    async def post_form(
        self,
        url: str,
        form: Mapping[str, str],
        *,
        max_bytes: int = 100_000,
        timeout: float = 5.0,  # noqa: ASYNC109 - one deadline for the whole call, stated by the caller
    ) -> OutboundResponse:
        """POST `form` to `url`, with the same limits."""
        ...

    async def post_body(
        self,
        url: str,
        body: bytes,
        headers: Mapping[str, str],
        *,
        max_bytes: int = 100_000,
        timeout: float = 5.0,  # noqa: ASYNC109 - one deadline for the whole call, stated by the caller
    ) -> OutboundResponse:
        """POST `body` to `url`, with the same limits; `headers` say what it is."""
        ...

    async def send_over_tls(
        self,
        host: str,
        port: int,
        content: bytes,
        *,
        timeout: float = 5.0,  # noqa: ASYNC109 - as above
    ) -> None:
        """Send `content` over a TLS connection of its own, end it, and wait until the other side has ended it too."""
        ...


class GuardedOutbound:
    """The real thing: HTTPS to public addresses, unless more is allowed."""

    def __init__(
        self,
        *,
        allow_private: Iterable[Network] = (),
        allow_http: bool = False,
        ca_file: Path | None = None,
        resolver: Resolver | None = None,
    ) -> None:
        """`ca_file`: roots to trust beside those of the operating system. `resolver`: in place of the system's."""
        self._allow_private = tuple(allow_private)
        self._allow_http = allow_http
        self._ca_file = ca_file
        self._resolve = resolver or resolve
        self._context: ssl.SSLContext | None = None

    def allows_scheme_of(self, url: str) -> bool:
        scheme = url.partition(":")[0].lower()
        return scheme == "https" or (scheme == "http" and self._allow_http)

    async def get(
        self,
        url: str,
        *,
        accept: str = "application/json",
        bearer: str = "",
        max_bytes: int = 1_000_000,
        timeout: float = 5.0,  # noqa: ASYNC109 - one deadline for the whole call, stated by the caller
    ) -> OutboundResponse:
        authorization = {"authorization": f"Bearer {bearer}"} if bearer else {}
        return await self._call("GET", url, {"accept": accept, **authorization}, None, max_bytes, timeout)

    async def post_form(
        self,
        url: str,
        form: Mapping[str, str],
        *,
        max_bytes: int = 100_000,
        timeout: float = 5.0,  # noqa: ASYNC109 - one deadline for the whole call, stated by the caller
    ) -> OutboundResponse:
        headers = {"accept": "*/*", "content-type": "application/x-www-form-urlencoded"}
        return await self._call("POST", url, headers, urlencode(form).encode(), max_bytes, timeout)

    async def post_body(
        self,
        url: str,
        body: bytes,
        headers: Mapping[str, str],
        *,
        max_bytes: int = 100_000,
        timeout: float = 5.0,  # noqa: ASYNC109 - one deadline for the whole call, stated by the caller
    ) -> OutboundResponse:
        return await self._call("POST", url, {"accept": "*/*", **headers}, body, max_bytes, timeout)

    async def send_over_tls(
        self,
        host: str,
        port: int,
        content: bytes,
        *,
        timeout: float = 5.0,  # noqa: ASYNC109 - as above
    ) -> None:
        place = f"{host}:{port}"
        last: Exception | None = None
        try:
            async with asyncio.timeout(timeout):
                for address in await self._addresses(host, port, place):
                    try:
                        _, writer = await asyncio.open_connection(str(address), port, ssl=self._trust(), server_hostname=host)
                    except (OSError, ssl.SSLError) as cause:
                        last = cause
                        continue
                    try:
                        writer.write(content)
                        await writer.drain()
                    finally:
                        writer.close()
                    await writer.wait_closed()
                    return
        except TimeoutError as cause:
            raise OutboundFailed(f"{place} did not take what was sent within {timeout:g} seconds.") from cause
        except (OSError, ssl.SSLError) as cause:
            raise OutboundFailed(f"{place} broke the connection off.") from cause
        raise OutboundFailed(f"{place} cannot be reached{_why(last)}.") from last

    async def _call(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None,
        max_bytes: int,
        timeout: float,  # noqa: ASYNC109 - as above
    ) -> OutboundResponse:
        parts, host, port = self._check(url)
        if "httpx2" not in sys.modules:  # many servers never call another: loaded late, and on a thread while others are answered
            await asyncio.to_thread(import_module, "httpx2")
        import httpx2  # noqa: PLC0415 - as above

        place = f"{parts.scheme}://{parts.netloc}{parts.path}"
        last: Exception | None = None
        try:
            async with asyncio.timeout(timeout):
                with span(method, outbound=True) as part:
                    part.set_attribute("http.request.method", method)
                    part.set_attribute("server.address", host)
                    part.set_attribute("server.port", port)
                    sent = {"host": parts.netloc, "accept-encoding": "identity", "user-agent": "sealwright", **part.headers()}
                    for address in await self._addresses(host, port, place):
                        pinned = httpx2.URL(url).copy_with(host=str(address), port=port)
                        more = _extensions(host, timeout)
                        request = httpx2.Request(method, pinned, headers={**sent, **headers}, content=body, extensions=more)
                        try:
                            response = await self._send(request, place, max_bytes)
                        except httpx2.ConnectError as cause:
                            last = cause
                        else:
                            part.set_attribute(STATUS, response.status)
                            return response
                    raise OutboundFailed(f"{place} cannot be reached{_why(last)}.") from last
        except TimeoutError as cause:
            raise OutboundFailed(f"{place} did not answer within {timeout:g} seconds.") from cause
        except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError) as cause:
            raise OutboundFailed(f"{place} did not give a usable answer.") from cause

    def _check(self, url: str) -> tuple[SplitResult, str, int]:
        """Only what a plain call needs: a scheme that is allowed, a host, no user name, no fragment."""
        if len(url) > LONGEST_URL or not url.isascii() or not url.isprintable() or " " in url:
            raise OutboundFailed("The address to call is too long, or holds characters that an address does not.")
        try:
            parts = urlsplit(url)
            port = parts.port or (443 if parts.scheme == "https" else 80)
        except ValueError as cause:
            raise OutboundFailed(f"{_shown(url)} is not an address that can be called.") from cause
        if not self.allows_scheme_of(url):
            raise OutboundFailed(f"{_shown(url)} is not an https address.")
        if not parts.hostname or "@" in parts.netloc or parts.fragment or "\\" in url:
            raise OutboundFailed(f"{_shown(url)} is not an address that can be called.")
        return parts, parts.hostname, port

    async def _addresses(self, host: str, port: int, place: str) -> list[IpAddress]:
        try:
            found = [_plain(address) for address in await self._resolve(host, port)]
        except (OSError, UnicodeError) as cause:
            raise OutboundFailed(f"{place} cannot be reached: the host name {host} is not known.") from cause
        if not found:
            raise OutboundFailed(f"{place} cannot be reached: the host name {host} leads to no address.")
        allowed = [address for address in found if self._allows(address)]
        if not allowed:
            private = OSError(f"{host} leads to {', '.join(map(str, found))}")  # for the log; not for who asked
            raise OutboundFailed(f"{host} leads to a private address, which outbound.allow_private does not list.") from private
        return allowed[:MOST_ADDRESSES]

    def _allows(self, address: IpAddress) -> bool:
        return is_public(address) or any(address in network for network in self._allow_private)

    async def _send(self, request: httpx2.Request, place: str, max_bytes: int) -> OutboundResponse:
        import httpx2  # noqa: PLC0415 - loaded by `_call`

        transport = httpx2.AsyncHTTPTransport(verify=self._trust(), trust_env=False, limits=httpx2.Limits(max_connections=1))
        async with transport:
            response = await transport.handle_async_request(request)
            try:
                headers = {name.lower(): value for name, value in response.headers.items()}
                if headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
                    raise OutboundFailed(f"{place} answered with a compressed body, which was not asked for.")
                body = bytearray()
                async for chunk in response.aiter_raw():
                    body += chunk
                    if len(body) > max_bytes:
                        raise OutboundFailed(f"{place} answered with more than {max_bytes} bytes.")
            finally:
                await response.aclose()
        return OutboundResponse(response.status_code, headers, bytes(body))

    def _trust(self) -> ssl.SSLContext:
        if self._context is None:
            context = ssl.create_default_context()
            if self._ca_file is not None:
                try:
                    context.load_verify_locations(cafile=self._ca_file)
                except (OSError, ssl.SSLError) as cause:
                    raise OutboundFailed(f"The roots in {self._ca_file} (outbound.ca_file) cannot be read.") from cause
            self._context = context
        return self._context


def is_public(address: IpAddress) -> bool:
    """Whether an address belongs to the public Internet."""
    if isinstance(address, ipaddress.IPv6Address):
        if address in _NAT64:
            return is_public(ipaddress.IPv4Address(address.packed[-4:]))
        if address not in _GLOBAL_IPV6:
            return False
    return not any(address in network for network in _SPECIAL)


async def resolve(host: str, port: int) -> Sequence[IpAddress]:
    """Ask the system's resolver."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(ipaddress.ip_address(entry[4][0]) for entry in found))


def _shown(url: str) -> str:
    """An address for a message, without what may be secret in it."""
    return re.sub(r"//[^/]*@", "//", url.partition("?")[0])[:200]


def _plain(address: IpAddress) -> IpAddress:
    """An IPv4 address in IPv6 clothes, as the IPv4 address that it leads to."""
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _extensions(host: str, timeout: float) -> dict[str, object]:
    """Authenticate the peer as `host`, though the connection goes to an address."""
    limits = dict.fromkeys(("connect", "read", "write", "pool"), timeout)
    return {"sni_hostname": host, "timeout": limits}


def _why(cause: Exception | None) -> str:
    """The end of a sentence, for the causes that the person who configured the address can mend."""
    text = str(cause)
    if "CERTIFICATE_VERIFY_FAILED" in text or "certificate" in text.lower():
        return ": its certificate is not trusted here"
    return ": the connection was refused or lost"
