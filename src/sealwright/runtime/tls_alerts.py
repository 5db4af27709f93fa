"""Lets a TLS client read why its handshake was refused.

The event loop throws away what OpenSSL has ready for the peer when a handshake fails, the alert (RFC 8446, section 6.2) with
it; the client would see a connection that ends without a word. Here a refused handshake looks to the event loop as if it still
waited for the peer, so that the alert is sent. The client then closes, or the time for handshakes ends the connection; what it
sends until then is dropped.
"""

from __future__ import annotations

import ssl
from typing import Any

_ALERTED = frozenset({"CERTIFICATE_VERIFY_FAILED", "NO_SHARED_CIPHER", "UNSUPPORTED_PROTOCOL"})
"""Refusals, by OpenSSL's names, that reach something that speaks TLS; whatever else fails is cut at once."""


class _AlertingObject(ssl.SSLObject):
    """The server's side of one connection."""

    incoming: ssl.MemoryBIO
    _refused = False

    def do_handshake(self) -> None:
        if self._refused:
            self.incoming.read()
            raise ssl.SSLWantReadError
        try:
            super().do_handshake()
        except ssl.SSLError as failure:
            if failure.reason not in _ALERTED:
                raise
            self._refused = True
            raise ssl.SSLWantReadError from failure


class AlertingContext(ssl.SSLContext):
    """A context whose connections tell the client why its handshake was refused."""

    sslobject_class = _AlertingObject

    def wrap_bio(self, incoming: ssl.MemoryBIO, *arguments: Any, **options: Any) -> ssl.SSLObject:
        """As in the standard library."""
        connection = super().wrap_bio(incoming, *arguments, **options)
        if isinstance(connection, _AlertingObject):
            connection.incoming = incoming
        return connection
