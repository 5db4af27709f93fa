"""Sockets: taken before the fork, one set for each worker, so that the kernel spreads connections over the workers."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from itertools import chain

from msgspec import Struct

from sealwright.errors import Unavailable
from sealwright.http import Listener
from sealwright.runtime.ports import holder_of

BACKLOG = 2048
_ATTEMPTS_AT_A_FREE_PORT = 20
_FIRST_FREE_TO_ALL = 1_024
_HIGHEST_PORT = 65_535
_NO_SUCH_ADDRESS = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})

Place = tuple[socket.AddressFamily, str]


class AddressRefused(Unavailable):
    """A listener cannot have its address."""

    code = "address_refused"

    def __init__(self, detail: str, *, hint: str) -> None:
        super().__init__(detail)
        self.hint = hint


@dataclass(frozen=True, slots=True)
class ListenAddress:
    """Where a listener shall be, and where that was said."""

    listener: Listener
    host: str
    """A name, an IP address, or empty for all addresses of this machine."""
    port: int
    """0 takes a free one."""
    tls: bool
    said_in: str = field(default="", compare=False)
    """Such as ``~/.local/share/sealwright/settings.toml, line 4``."""

    @property
    def client_certificates(self) -> bool:
        """Whether peers are asked for a certificate: machines are, browsers would show a picker."""
        return self.tls and self.listener is Listener.MACHINES

    @property
    def scheme(self) -> str:
        """What a URL of this listener begins with."""
        return "https" if self.tls else "http"

    def url(self, port: int) -> str:
        """The address as people write it."""
        host = self.host or "localhost"
        return f"{self.scheme}://{f'[{host}]' if ':' in host else host}:{port}"


class Bound(Struct, frozen=True):
    """One listener with its sockets: for each worker one for every address that the host stands for."""

    address: ListenAddress
    port: int
    sockets: tuple[tuple[socket.socket, ...], ...]

    @property
    def url(self) -> str:
        """Where to reach it."""
        return self.address.url(self.port)

    def close(self, *, except_worker: int | None = None) -> None:
        """Close the sockets in this process."""
        for number, group in enumerate(self.sockets):
            if number != except_worker:
                for each in group:
                    each.close()


def bind(addresses: Sequence[ListenAddress], workers: int) -> tuple[Bound, ...]:
    """Take every address or none; raises AddressRefused that says who has it and which setting to change."""
    with ExitStack() as undo:
        ours = frozenset(address.port for address in addresses)
        bound = tuple(_bind(address, workers, undo, ours) for address in addresses)
        undo.pop_all()
    return bound


def look_at(addresses: Sequence[ListenAddress]) -> list[AddressRefused]:
    """Why addresses cannot be had at this moment, for each of which that is so; nothing is taken."""
    refused = []
    ours = frozenset(address.port for address in addresses)
    for address in addresses:
        try:
            _look_at(address, ours)
        except AddressRefused as refusal:
            refused.append(refusal)
    return refused


def _look_at(address: ListenAddress, ours: frozenset[int]) -> None:
    try:
        _probe(address, _places(address))
    except OSError as cause:
        raise _refusal(address, cause, ours) from cause


def urls(bound: Sequence[Bound]) -> Mapping[Listener, str]:
    """Listener → where to reach it."""
    return {each.address.listener: each.url for each in bound}


def _bind(address: ListenAddress, workers: int, undo: ExitStack, ours: frozenset[int]) -> Bound:
    places = _places(address)
    for _ in range(_ATTEMPTS_AT_A_FREE_PORT):
        try:
            port, reachable = _probe(address, places)
            return Bound(address, port, tuple(_listen(reachable, port, undo) for _ in range(workers)))
        except OSError as cause:
            if address.port == 0 and cause.errno == errno.EADDRINUSE:
                continue  # free at one of the host's addresses, taken at another
            raise _refusal(address, cause, ours) from cause
    raise AddressRefused(f"No port is free at {address.host}.", hint="See which programs listen with: ss -tlnp")


def _places(address: ListenAddress) -> list[Place]:
    flags = socket.AI_PASSIVE if not address.host else 0
    try:
        found = socket.getaddrinfo(address.host or None, address.port, type=socket.SOCK_STREAM, flags=flags)
    except OSError as cause:
        raise AddressRefused(
            f"The host {address.host} of {address.url(address.port)} cannot be found.",
            hint=_hint_at_home(address),
        ) from cause
    return list(dict.fromkeys((family, str(where[0])) for family, _, _, _, where in found))


def _probe(address: ListenAddress, places: Sequence[Place]) -> tuple[int, list[Place]]:
    """The port, and the places where it is free. Without SO_REUSEPORT: another program's sockets must not be joined."""
    port, reachable = address.port, []
    missing: OSError | None = None
    with ExitStack() as probes:
        for family, host in places:
            probe = probes.enter_context(socket.socket(family, socket.SOCK_STREAM))
            try:
                _prepare(probe, family)
                probe.bind((host, port))
            except OSError as cause:
                if cause.errno not in _NO_SUCH_ADDRESS:
                    raise
                missing = cause
                continue
            port = probe.getsockname()[1]
            reachable.append((family, host))
    if missing is not None and not reachable:
        raise missing
    return port, reachable


def _listen(places: Sequence[Place], port: int, undo: ExitStack) -> tuple[socket.socket, ...]:
    sockets = []
    for family, host in places:
        each = undo.enter_context(socket.socket(family, socket.SOCK_STREAM))
        _prepare(each, family)
        each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        each.bind((host, port))
        each.listen(BACKLOG)
        each.setblocking(False)  # noqa: FBT003 - the standard library's signature
        sockets.append(each)
    return tuple(sockets)


def _prepare(each: socket.socket, family: socket.AddressFamily) -> None:
    each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        each.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)


def _refusal(address: ListenAddress, cause: OSError, ours: frozenset[int]) -> AddressRefused:
    url = address.url(address.port)
    if cause.errno == errno.EADDRINUSE:
        holder = holder_of(address.port)
        own = holder is not None and holder.pid == os.getpid()
        who = "another listener of this server" if own else f"another program{f' ({holder})' if holder else ''}"
        return AddressRefused(f"{url} is taken by {who}.", hint=_hint(address, _free_port(address, ours)))
    if cause.errno == errno.EACCES:
        detail = f"{url} needs a privilege that this program does not have: ports below 1024 are the system's."
        return AddressRefused(detail, hint=_hint(address, _free_port(address, ours)))
    if cause.errno in _NO_SUCH_ADDRESS:
        return AddressRefused(f"{url} is not an address of this machine.", hint=_hint_at_home(address))
    return AddressRefused(f"{url} cannot be listened on: {cause.strerror}.", hint=_hint_at_home(address))


def _free_port(address: ListenAddress, ours: frozenset[int]) -> int:
    """A port near that of `address`, free there and none of `ours`: what to propose instead."""
    first = address.port + 1 if address.port >= _FIRST_FREE_TO_ALL else address.port + 8_000
    places = _places(address)
    for port in chain(range(first, _HIGHEST_PORT + 1), range(_FIRST_FREE_TO_ALL, first)):
        try:
            if port not in ours:
                _probe(replace(address, port=port), places)
                return port
        except OSError:
            continue
    return 0


def _hint_at_home(address: ListenAddress) -> str:
    """Another host, where the one that was given is none of this machine's."""
    return _hint(replace(address, host="127.0.0.1" if address.host == "localhost" else "localhost"), address.port)


def _hint(address: ListenAddress, port: int) -> str:
    host = f"[{address.host}]" if ":" in address.host else address.host
    where = f"  in {address.said_in}" if address.said_in else ""
    return f'Choose another with  [listen] {address.listener} = "{host}:{port}"{where}.'
