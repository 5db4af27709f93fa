"""The calls of the command, over real TLS."""

import ssl
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from sealwright.cli.errors import CommandFailed, Unreachable
from sealwright.cli.https import Https, send
from sealwright.cli.server_address import tls_context


class Echo(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path.startswith("/elsewhere"):
            self.send_response(302)
            self.send_header("Location", "/found")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        body = b"x" * 2_000 if self.path == "/long" else f"{self.command} {self.path} {self.headers['user-agent']}".encode()
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for piece in (body[:10], body[10:]):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.send_response(201)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "server.pem"
    pem = made.public_bytes(Encoding.PEM)
    file.write_bytes(pem + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return file, pem.decode()


@contextmanager
def serving(file):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.handle_error = lambda *_: None  # type: ignore[method-assign] # refused handshakes are what is tested
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_call_arrives_whole(certificate):
    file, root = certificate
    with serving(file) as port:
        transport = Https(tls_context(root))
        answer = send(transport, "GET", f"https://localhost:{port}/a%20b", query={"q": "ü&c"})
        assert (answer.status, answer.body.decode().split(" ")[:2]) == (200, ["GET", "/a%20b?q=%C3%BC%26c"])
        assert b"sealwright/" in answer.body
        answer = send(transport, "POST", f"https://localhost:{port}/", content=b"{}")
        assert (answer.status, answer.body) == (201, b"{}")


def test_redirect_is_not_followed(certificate):
    file, root = certificate
    with serving(file) as port:
        assert send(Https(tls_context(root)), "GET", f"https://localhost:{port}/elsewhere").status == 302


def test_server_that_is_not_trusted_hears_nothing(certificate):
    file, root = certificate
    with serving(file) as port:
        for url, context in (
            (f"https://localhost:{port}/", tls_context("")),
            (f"https://127.0.0.1:{port}/", tls_context(root)),
        ):
            with pytest.raises(Unreachable, match="is not trusted"):
                send(Https(context), "GET", url)


def test_answer_without_end_is_cut(certificate):
    file, root = certificate
    with serving(file) as port, pytest.raises(CommandFailed, match="longer than 1000 bytes"):
        send(Https(tls_context(root), largest_answer=1_000), "GET", f"https://localhost:{port}/long")


def test_no_one_listens():
    with pytest.raises(Unreachable, match="refused the connection"):
        send(Https(tls_context("")), "GET", "https://127.0.0.1:1/")
