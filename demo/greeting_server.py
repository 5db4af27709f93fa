"""The web server of the tutorial: asks for a client certificate and greets by the name in it.

Usage: python -m demo.greeting_server PORT SERVER_CERTIFICATE SERVER_KEY ROOT_CERTIFICATE
"""

from __future__ import annotations

import http.server
import ssl
import sys


class Greeting(http.server.BaseHTTPRequestHandler):
    """Answers every GET with a greeting to the first name in the client's certificate."""

    def do_GET(self) -> None:
        certificate = self.connection.getpeercert()  # type: ignore[attr-defined] # a TLS socket here
        name = certificate["subjectAltName"][0][1]
        body = f"\n👋 Hello {name}! Welcome to mTLS 🔒✅\n\n".encode()
        self.send_response(200)
        self.send_header("content-type", "text/html; charset=utf-8")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep the terminal quiet."""


def serve(port: int, certificate: str, key: str, root: str) -> None:
    """Serve on loopback until interrupted."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    context.load_verify_locations(root)
    context.verify_mode = ssl.CERT_REQUIRED
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Greeting)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.serve_forever()


if __name__ == "__main__":
    serve(int(sys.argv[1]), *sys.argv[2:5])
