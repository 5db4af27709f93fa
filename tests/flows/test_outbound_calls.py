"""Calls to other servers over real sockets of this machine."""

import asyncio
import datetime as dt
import gzip
import ipaddress
import re
import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sealwright.outbound import GuardedOutbound, OutboundFailed

LOOPBACK = ipaddress.ip_network("127.0.0.0/8")
NAME = "provider.test"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A self-signed certificate for one name, in files."""
    directory = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a provider")])
    start = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, start, start + dt.timedelta(days=36_500))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName(NAME), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate, private = directory / "provider.crt", directory / "provider.key"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate, private


class Provider:
    """A server that answers every connection with what a test says."""

    def __init__(self, certificate, answer):
        self.certificate, self.answer = certificate, answer
        self.requests, self.names, self.port = [], [], 0

    async def serve(self, reader, writer):
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = re.search(r"(?i)content-length: (\d+)", head)
            body = await reader.readexactly(int(length[1])) if length else b""
            self.requests.append(head + body.decode())
            await self.answer(writer)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def __aenter__(self):
        context = None
        if self.certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*self.certificate)
            context.sni_callback = lambda _, name, __: self.names.append(name)
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0, ssl=context)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *failure):
        self.server.close()


def answers(head, body=b""):
    async def answer(writer):
        writer.write(head.replace("\n", "\r\n").encode() + b"\r\n\r\n" + body)

    return answer


HELLO = answers("HTTP/1.1 200 OK\nContent-Length: 5\nX-Seen: Yes", b"hello")


def resolver(*addresses):
    async def resolve(host, port):
        return [ipaddress.ip_address(each) for each in addresses]

    return resolve


def outbound(certificate, *addresses, allow=(LOOPBACK,), **options):
    given = {"allow_private": allow, "resolver": resolver(*(addresses or ("127.0.0.1",)))}
    trusted = {"ca_file": certificate[0]} if certificate else {}
    return GuardedOutbound(**{**given, **trusted, **options})


def call(certificate, answer, caller, *, host=NAME, path="/a?b=c", scheme="https", form=None, **options):
    """Start a provider, call it, and give back the answer (or failure) and the provider."""

    async def run():
        async with Provider(certificate if scheme == "https" else None, answer) as provider:
            try:
                url = f"{scheme}://{host}:{provider.port}{path}"
                called = caller.get(url, **options) if form is None else caller.post_form(url, form, **options)
                return await called, provider
            except OutboundFailed as failure:
                return failure, provider

    return asyncio.run(asyncio.wait_for(run(), 20))


def test_answer_comes_back_whole(certificate):
    response, provider = call(certificate, HELLO, outbound(certificate), accept="text/plain")
    assert (response.status, response.headers["x-seen"], response.body) == (200, "Yes", b"hello")
    lines = provider.requests[0].lower().split("\r\n")
    assert lines[0] == "get /a?b=c http/1.1"
    assert f"host: {NAME}:{provider.port}" in lines
    assert "accept: text/plain" in lines
    assert "accept-encoding: identity" in lines
    assert provider.names == [NAME]


def test_form_is_posted_whole_and_with_the_same_checks(certificate):
    response, provider = call(certificate, HELLO, outbound(certificate), form={"logout_token": "a.b.c", "x": "ä &"})
    assert (response.status, response.body) == (200, b"hello")
    head, _, body = provider.requests[0].partition("\r\n\r\n")
    assert body == "logout_token=a.b.c&x=%C3%A4+%26"
    lines = head.lower().split("\r\n")
    assert lines[0] == "post /a?b=c http/1.1"
    assert "content-type: application/x-www-form-urlencoded" in lines
    failure, provider = call(certificate, HELLO, outbound(certificate, allow=()), form={"logout_token": "a.b.c"})
    assert isinstance(failure, OutboundFailed)
    assert provider.requests == []


def test_name_is_resolved_once_and_the_connection_goes_to_the_checked_address(certificate):
    asked = []

    async def turncoat(host, port):
        asked.append(host)
        return [ipaddress.ip_address("127.0.0.1" if len(asked) == 1 else "10.0.0.1")]

    response, _ = call(certificate, HELLO, outbound(certificate, resolver=turncoat))
    assert response.body == b"hello"
    assert asked == [NAME]


def test_addresses_that_are_not_allowed_are_passed_over(certificate):
    response, _ = call(certificate, HELLO, outbound(certificate, "10.255.255.1", "127.0.0.1"))
    assert response.body == b"hello"


def test_next_address_is_tried_when_one_refuses(certificate):
    response, _ = call(certificate, HELLO, outbound(certificate, "127.0.0.99", "127.0.0.1"))
    assert response.body == b"hello"


def test_nothing_is_sent_to_an_address_that_is_not_allowed(certificate):
    failure, provider = call(certificate, HELLO, outbound(certificate, allow=()))
    assert "leads to a private address" in failure.detail
    assert (provider.requests, provider.names) == ([], [])


def test_certificate_must_be_trusted(certificate):
    failure, provider = call(certificate, HELLO, outbound(None))
    assert "its certificate is not trusted here" in failure.detail
    assert provider.requests == []


def test_certificate_must_be_for_the_name_that_was_called(certificate):
    failure, provider = call(certificate, HELLO, outbound(certificate), host="other.test")
    assert "its certificate is not trusted here" in failure.detail
    assert provider.requests == []


def test_address_in_the_url_is_authenticated_too(certificate):
    response, _ = call(certificate, HELLO, outbound(certificate), host="127.0.0.1")
    assert response.body == b"hello"
    failure, _ = call(certificate, HELLO, outbound(certificate, "127.0.0.1"), host="127.0.0.2")
    assert "its certificate is not trusted here" in failure.detail


def test_redirect_is_an_answer_and_not_followed(certificate):
    moved = answers("HTTP/1.1 302 Found\nLocation: https://127.0.0.1/secret\nContent-Length: 0")
    response, provider = call(certificate, moved, outbound(certificate))
    assert (response.status, response.body) == (302, b"")
    assert len(provider.requests) == 1


def test_endless_answer_is_cut_off(certificate):
    sent = 0

    async def endless(writer):
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while sent < 50_000_000:
            writer.write(b"1000\r\n" + b"x" * 4096 + b"\r\n")
            sent += 4096
            await writer.drain()

    failure, _ = call(certificate, endless, outbound(certificate), max_bytes=100_000)
    assert "answered with more than 100000 bytes" in failure.detail
    assert sent < 20_000_000


def test_answer_of_exactly_the_limit_is_read(certificate):
    exact = answers("HTTP/1.1 200 OK\nContent-Length: 1000", b"x" * 1000)
    assert len(call(certificate, exact, outbound(certificate), max_bytes=1000)[0].body) == 1000
    failure, _ = call(certificate, exact, outbound(certificate), max_bytes=999)
    assert "more than 999 bytes" in failure.detail


def test_answer_that_trickles_is_not_waited_for(certificate):
    async def trickle(writer):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(200):
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.05)

    failure, _ = call(certificate, trickle, outbound(certificate), timeout=0.4)
    assert "did not answer within 0.4 seconds" in failure.detail


def test_server_that_says_nothing_is_not_waited_for(certificate):
    async def silent(writer):
        await asyncio.sleep(5)

    failure, _ = call(certificate, silent, outbound(certificate), timeout=0.2)
    assert "did not answer within 0.2 seconds" in failure.detail


def test_compressed_answer_is_refused(certificate):
    bomb = gzip.compress(bytes(1_000_000))
    packed = answers(f"HTTP/1.1 200 OK\nContent-Encoding: gzip\nContent-Length: {len(bomb)}", bomb)
    failure, _ = call(certificate, packed, outbound(certificate))
    assert "compressed body" in failure.detail


@pytest.mark.parametrize(
    "rubbish", [b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", b"", b"\x00" * 500]
)
def test_rubbish_is_said_to_be_unusable(certificate, rubbish):
    async def answer(writer):
        writer.write(rubbish)

    failure, _ = call(certificate, answer, outbound(certificate))
    assert "did not give a usable answer" in failure.detail


def test_huge_header_is_refused(certificate):
    failure, _ = call(certificate, answers("HTTP/1.1 200 OK\nX-Long: " + "x" * 1_000_000), outbound(certificate))
    assert isinstance(failure, OutboundFailed)


def test_port_where_no_one_listens_is_said_so(certificate):
    with pytest.raises(OutboundFailed, match="the connection was refused or lost"):
        asyncio.run(outbound(certificate).get(f"https://{NAME}:9/"))


def test_plain_http_only_where_it_is_allowed():
    caller = outbound(None, allow_http=True)
    assert call(None, HELLO, caller, scheme="http")[0].body == b"hello"
    failure, _ = call(None, HELLO, outbound(None), scheme="http")
    assert "is not an https address" in failure.detail


def test_proxies_of_the_environment_are_not_used(certificate, monkeypatch):
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert call(certificate, HELLO, outbound(certificate))[0].body == b"hello"


async def test_connections_are_not_shared_between_names(certificate):
    caller = outbound(certificate)
    async with Provider(certificate, HELLO) as provider:
        await caller.get(f"https://{NAME}:{provider.port}/")
        with pytest.raises(OutboundFailed, match="certificate is not trusted"):
            await caller.get(f"https://other.test:{provider.port}/")
    assert provider.names == [NAME, "other.test"]
