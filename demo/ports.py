"""Ports on loopback that no one holds at the moment."""

from __future__ import annotations

import socket
from collections.abc import Iterable


def free_among(candidates: Iterable[int], count: int) -> list[int]:
    """The first `count` of the candidates on which no one listens; fewer where there are not as many."""
    found: list[int] = []
    for port in candidates:
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        found.append(port)
        if len(found) == count:
            break
    return found
