"""TLS that asks for a client certificate and takes any: the handshake proves the key, and the program says whose it is.

Python's own module ends the handshake of a certificate that does not chain to a root, so that a self-signed one never arrives
(RFC 8705, section 2.2), and no one can record why another was refused. pyOpenSSL asks a function instead. Its connections look to
the event loop like those of the standard library.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Any, Self, TypeVar

from OpenSSL import SSL, crypto

from sealwright.jose import PrivateKey

T = TypeVar("T")

_PIECE = 65_536
_HEADER = 5
"""Bytes: type, version and length of a record (RFC 8446, section 5.1)."""
_SESSIONS = b"sealwright"
"""Sessions of other programs are not resumed."""


class AnyCertificateContext(ssl.SSLContext):
    """Serves with a certificate of its own. What it inherits is only there for the event loop, which asks for this type."""

    engine: SSL.Context

    def __new__(cls, *_arguments: Any, **_options: Any) -> Self:
        """The state of the standard library's context, which is not used."""
        return super().__new__(cls, ssl.PROTOCOL_TLS_SERVER)

    def __init__(self, chain_file: str, private_key: PrivateKey, *, suites: str, protocols: tuple[bytes, ...]) -> None:
        """`suites`: of TLS 1.2, as OpenSSL writes them; `protocols`: those of ALPN, best first.

        Raises ValueError where certificate and key cannot be used.
        """
        engine = self.engine = SSL.Context(SSL.TLS_SERVER_METHOD)
        engine.set_min_proto_version(SSL.TLS1_2_VERSION)
        engine.set_cipher_list(suites.encode())
        engine.set_options(SSL.OP_NO_COMPRESSION | SSL.OP_NO_RENEGOTIATION)
        engine.set_session_id(_SESSIONS)
        engine.set_verify(SSL.VERIFY_PEER, _take_any)

        def choose(_connection: SSL.Connection, offered: list[bytes]) -> Any:
            return next((each for each in protocols if each in offered), SSL.NO_OVERLAPPING_PROTOCOLS)

        engine.set_alpn_select_callback(choose)
        try:
            engine.use_certificate_chain_file(chain_file)
            engine.use_privatekey(private_key)
            engine.check_privatekey()
        except SSL.Error as cause:
            raise ValueError("the certificate and its key cannot be read, or do not belong together") from cause

    def wrap_bio(self, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO, *_arguments: Any, **_options: Any) -> Any:
        """As in the standard library."""
        return AnyCertificateConnection(self.engine, incoming, outgoing)


class AnyCertificateConnection:
    """The server's side of one connection, with the methods of `ssl.SSLObject` that an event loop calls."""

    def __init__(self, engine: SSL.Context, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO) -> None:
        self._connection = SSL.Connection(engine, None)
        self._connection.set_accept_state()
        self._incoming = incoming
        self._outgoing = outgoing
        self._refused = False
        self._header = b""  # of a record, as far as it has come
        self._left = 0  # bytes of a record that are still to come

    def do_handshake(self) -> None:
        """Go on with the handshake. A refused one waits on, so that the alert reaches the client: see `tls_alerts`."""
        if self._refused:
            self._incoming.read()
            raise ssl.SSLWantReadError
        try:
            self._run(self._connection.do_handshake)
        except ssl.SSLWantReadError:
            raise
        except ssl.SSLError as failure:
            if not self._outgoing.pending or isinstance(failure, ssl.SSLEOFError):
                raise
            self._refused = True
            raise ssl.SSLWantReadError from failure

    def read(self, length: int = _PIECE, buffer: Any = None) -> Any:
        """Decrypted bytes; into `buffer` where one is given, then how many."""
        try:
            if buffer is None:
                return self._run(lambda: self._connection.recv(length))
            return self._run(lambda: self._connection.recv_into(buffer, length))
        except ssl.SSLZeroReturnError:
            return b"" if buffer is None else 0

    def write(self, data: Any) -> int:
        """Encrypt; how many bytes were taken."""
        return self._run(lambda: self._connection.send(data))

    def unwrap(self) -> None:
        """Send close_notify, and wait for the peer's."""
        if not self._run(self._connection.shutdown):
            raise ssl.SSLWantReadError

    def pending(self) -> int:
        """How many decrypted bytes wait."""
        return self._connection.pending()

    def getpeercert(self, binary_form: bool = False) -> Any:
        """The client's certificate in DER; as in the standard library, a mapping where that is not asked for."""
        found = self._connection.get_peer_certificate()
        if not binary_form:
            return {}
        return None if found is None else crypto.dump_certificate(crypto.FILETYPE_ASN1, found)

    def cipher(self) -> tuple[str | None, str | None, int | None]:
        """Name, version and bits of the cipher."""
        engine = self._connection
        return engine.get_cipher_name(), engine.get_cipher_version(), engine.get_cipher_bits()

    def compression(self) -> None:
        """None: compression is off."""

    def _run(self, step: Callable[[], T]) -> T:
        """Do one step with what came in, and give out what it has for the peer, whatever becomes of it."""
        try:
            while True:
                try:
                    return step()
                except SSL.WantReadError as cause:
                    came = self._next_record()
                    if not came:
                        raise ssl.SSLWantReadError from cause
                    self._connection.bio_write(came)
        except SSL.ZeroReturnError as cause:
            raise ssl.SSLZeroReturnError from cause
        except SSL.SysCallError as cause:
            raise ssl.SSLEOFError(str(cause)) from cause
        except SSL.Error as cause:
            raise ssl.SSLError(str(cause)) from cause
        finally:
            self._give_out()

    def _next_record(self) -> bytes:
        """No more than one TLS record: event loops look at what is left to see whether there is more to be read."""
        if self._left:
            piece = self._incoming.read(self._left)
            self._left -= len(piece)
            return piece
        self._header += self._incoming.read(_HEADER - len(self._header))
        if len(self._header) < _HEADER:
            return b""
        header, self._header = self._header, b""
        length = int.from_bytes(header[3:])
        piece = self._incoming.read(length) if length else b""
        self._left = length - len(piece)
        return header + piece

    def _give_out(self) -> None:
        while True:
            try:
                self._outgoing.write(self._connection.bio_read(_PIECE))
            except SSL.WantReadError:
                return


def _take_any(_connection: Any, _certificate: Any, _error: int, _depth: int, _good: int) -> bool:
    return True
