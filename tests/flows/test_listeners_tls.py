"""Who is asked for a certificate, who is believed, and how the server's own is exchanged."""

from __future__ import annotations

import base64
import hashlib
import re
import signal
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.flows.listeners_certificates import TestAuthority
from tests.flows.listeners_client import PATIENCE, Peer, RunningProgram, wait_for


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningProgram]:
    with RunningProgram(tmp_path_factory.mktemp("program"), workers=2) as running:
        yield running
        assert running.messages() == ""


@pytest.fixture(scope="module")
def changing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningProgram]:
    """One whose server certificate the tests exchange."""
    with RunningProgram(tmp_path_factory.mktemp("program"), workers=2) as running:
        yield running


def digest(pem: bytes) -> str:
    return hashlib.sha256(x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)).hexdigest()


def test_client_certificate_is_seen_by_the_handler(program: RunningProgram) -> None:
    presented = program.authority.client()
    with program.connect("machines", program.client_context(presented)) as peer:
        for _ in range(2):
            assert peer.ask("GET", "/who").json()["certificate"] == digest(presented[0])


def test_client_certificate_is_optional(program: RunningProgram) -> None:
    with program.connect("machines") as peer:
        assert peer.ask("GET", "/who").json()["certificate"] is None


def test_client_certificate_survives_resumption(program: RunningProgram) -> None:
    presented = program.authority.client()
    context = program.client_context(presented)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with program.connect("machines", context) as first:
        first.ask("GET", "/hello")
        session = first.socket.session  # type: ignore[attr-defined]
    with program.connect("machines", context, session=session) as second:
        assert second.socket.session_reused  # type: ignore[attr-defined]
        assert second.ask("GET", "/who").json()["certificate"] == digest(presented[0])


def test_people_are_never_asked_for_a_certificate(program: RunningProgram) -> None:
    with program.connect("people", program.client_context(program.authority.client())) as peer:
        assert peer.ask("GET", "/who").json()["certificate"] is None


TLS13, TLS12 = ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize("version", [TLS13, TLS12])
def test_client_certificate_of_anyone_reaches_the_handler(program: RunningProgram, version: ssl.TLSVersion) -> None:
    """Whose it is, and whether it holds, is for the program to say."""
    for_servers = program.authority.issue("server", usage=ExtendedKeyUsageOID.SERVER_AUTH)
    for shown in (TestAuthority("Another Root").client(), program.authority.client(days=-1), for_servers):
        context = program.client_context(shown)
        context.minimum_version = context.maximum_version = version
        with program.connect("machines", context) as peer:
            assert peer.ask("GET", "/who").json()["certificate"] == digest(shown[0])


def test_client_without_the_key_of_its_certificate_is_refused(program: RunningProgram) -> None:
    """Its proof, which TLS 1.2 sends in the clear, is changed on the way: without the key no better one can be made."""
    context = program.client_context(program.authority.client())
    context.maximum_version = TLS12
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
    with socket.create_connection(("127.0.0.1", program.port("machines")), timeout=PATIENCE) as connection:
        proof = None
        while proof is None:
            with suppress(ssl.SSLWantReadError):
                client.do_handshake()
            flight = bytearray(outgoing.read())
            proof = end_of_certificate_verify(flight)
            if proof is not None:
                flight[proof - 1] ^= 1
            connection.sendall(flight)
            if proof is None:
                incoming.write(connection.recv(65_536))
        assert connection.recv(1000)[-2:] == bytes([2, 51])  # fatal, decrypt_error (RFC 5246, section 7.2.2)


def end_of_certificate_verify(flight: bytes | bytearray) -> int | None:
    """Where the handshake message CertificateVerify ends in records of TLS 1.2; None where it is not among them."""
    at = 0
    while at < len(flight):
        content_type, message, end = flight[at], flight[at + 5], at + 5 + int.from_bytes(flight[at + 3 : at + 5], "big")
        if (content_type, message) == (22, 15):
            return end
        at = end
    return None


def test_refused_peer_that_goes_on_sending_is_cut(tmp_path: Path) -> None:
    with RunningProgram(tmp_path, workers=1, limits={"handshake_seconds": 1.0}) as program:
        context = program.client_context(TestAuthority("Test Root").client())
        with socket.create_connection(("127.0.0.1", program.port("machines")), timeout=PATIENCE) as connection:
            expect_cut_after_handshake(context, connection)


def expect_cut_after_handshake(context: ssl.SSLContext, connection: socket.socket) -> None:
    """Until the server, whose answers no one reads, ends the connection."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
    with suppress(ssl.SSLWantReadError):
        client.do_handshake()
    connection.sendall(outgoing.read())
    while outgoing.pending == 0:
        incoming.write(connection.recv(65_536))
        with suppress(ssl.SSLWantReadError):
            client.do_handshake()
    sent = 0
    with suppress(ConnectionError):
        while sent < 10_000_000:
            connection.sendall(outgoing.read())
            sent += client.write(b"x" * 16_000)
            time.sleep(0.01)
    assert sent < 10_000_000


def test_old_version_of_the_protocol_is_refused_with_an_alert(program: RunningProgram) -> None:
    tls_1_1 = "0302"
    hello = bytes.fromhex(f"{tls_1_1}{'00' * 32} 00 0004 c0130035 01 00")
    handshake = b"\x01" + len(hello).to_bytes(3, "big") + hello
    with socket.create_connection(("127.0.0.1", program.port("people")), timeout=5) as connection:
        connection.sendall(bytes.fromhex(f"16 {tls_1_1}") + len(handshake).to_bytes(2, "big") + handshake)
        assert connection.recv(1000)[-2:] == bytes([2, 70])  # fatal, protocol_version (RFC 8446, section 6)


def test_what_is_no_handshake_ends_the_connection(program: RunningProgram) -> None:
    for beginning in (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"\x16\x03\x01\x00\x05hello", bytes(1000)):
        with socket.create_connection(("127.0.0.1", program.port("people")), timeout=5) as connection, Peer(connection) as peer:
            peer.send(beginning)
            while connection.recv(1000):
                pass
    with program.connect("people") as peer:
        assert peer.ask("GET", "/hello").status == 200


@pytest.mark.parametrize("listener", ["people", "machines"])
def test_protocols_and_suites(program: RunningProgram, listener: str) -> None:
    context = program.client_context()
    context.set_alpn_protocols(["h2", "http/1.1"])
    with program.connect(listener, context) as peer:
        assert peer.socket.version() == "TLSv1.3"  # type: ignore[attr-defined]
        assert peer.socket.selected_alpn_protocol() == "http/1.1"  # type: ignore[attr-defined]
    older = program.client_context()
    older.maximum_version = ssl.TLSVersion.TLSv1_2
    with program.connect(listener, older) as peer:
        assert re.fullmatch("ECDHE-.*-AES(128|256)-GCM-.*", peer.socket.cipher()[0])  # type: ignore[attr-defined]
    for weak in ("ECDHE+AES128+SHA256", "ECDHE+AES128+SHA", "AES128-GCM-SHA256", "ECDHE+CHACHA20"):
        older.set_ciphers(weak)
        with pytest.raises(ssl.SSLError), program.connect(listener, older):
            pass


def test_sessions_resume_at_every_worker(program: RunningProgram) -> None:
    context = program.client_context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with program.connect("people", context) as first:
        pids = {first.ask("GET", "/hello").json()["pid"]}
        session = first.socket.session  # type: ignore[attr-defined]
    resumed = []
    for _ in range(100):
        with program.connect("people", context, session=session) as peer:
            resumed.append(peer.socket.session_reused)  # type: ignore[attr-defined]
            pids.add(peer.ask("GET", "/hello").json()["pid"])
        if len(pids) == 2 and len(resumed) > 10:
            break
    assert (len(pids), set(resumed)) == (2, {True})


def forwarded(presented: tuple[bytes, bytes]) -> dict[str, str]:
    """What a proxy adds that has seen a client certificate."""
    der = x509.load_pem_x509_certificate(presented[0]).public_bytes(Encoding.DER)
    return {"Client-Cert": f":{base64.b64encode(der).decode()}:", "X-Forwarded-For": "203.0.113.7, 127.0.0.1"}


def test_stranger_cannot_pose_as_a_proxy(program: RunningProgram) -> None:
    with program.connect("machines") as peer:
        seen = peer.ask("GET", "/who", headers=forwarded(program.authority.client())).json()
    assert (seen["certificate"], seen["told"], seen["address"]) == (None, None, "127.0.0.1")
    assert "client-cert" not in seen["headers"]


def test_listed_proxy_speaks_for_the_client(tmp_path: Path) -> None:
    listed = ["127.0.0.0/8"]
    with RunningProgram(tmp_path, workers=1, proxies=listed, certificate_proxies=listed) as proxied:
        presented = proxied.authority.client()
        with proxied.connect("machines", proxied.client_context(proxied.authority.client("proxy"))) as peer:
            seen = peer.ask("GET", "/who", headers=forwarded(presented)).json()
            assert (seen["certificate"], seen["told"], seen["address"]) == (None, digest(presented[0]), "203.0.113.7")
            assert "client-cert" not in seen["headers"]
            seen = peer.ask("GET", "/who").json()
            assert (seen["certificate"], seen["told"], seen["address"]) == (None, None, "127.0.0.1")
            foreign = TestAuthority("Test Root").client()
            seen = peer.ask("GET", "/who", headers=forwarded(foreign)).json()
            assert seen["told"] is None
            assert "not issued here" in seen["forwarding_fault"]
        for listener in ("people", "status"):
            with proxied.connect(listener) as peer:
                seen = peer.ask("GET", "/who", headers=forwarded(presented)).json()
                assert (seen["told"], seen["forwarding_fault"], seen["address"]) == (None, "", "203.0.113.7")


def test_proxy_is_not_believed_about_certificates_unless_listed_for_that(tmp_path: Path) -> None:
    with RunningProgram(tmp_path, workers=1, proxies=["127.0.0.0/8"]) as proxied, proxied.connect("machines") as peer:
        fields = forwarded(proxied.authority.client()) | {"Client-Cert-Chain": ":AAAA:"}
        seen = peer.ask("GET", "/who", headers=fields).json()
        assert (seen["certificate"], seen["told"], seen["forwarding_fault"]) == (None, None, "")
        assert {"client-cert", "client-cert-chain"}.isdisjoint(seen["headers"])
        assert peer.ask("GET", "/who", headers={"Client-Cert": ":rubbish"}).status == 200


def serial(peer: Peer) -> int:
    der = peer.socket.getpeercert(binary_form=True)  # type: ignore[attr-defined]
    return x509.load_der_x509_certificate(der).serial_number


@pytest.mark.parametrize("kind", ["EC", "RSA"])
def test_new_server_certificate_is_served_without_dropping_a_connection(changing: RunningProgram, kind: str) -> None:
    chain, key = changing.authority.server("renewed", kind)
    wanted = x509.load_pem_x509_certificate(chain).serial_number
    with changing.connect("people") as before:
        before.ask("GET", "/hello")
        (changing.directory / "server.key").write_bytes(key)
        (changing.directory / "server.pem").write_bytes(chain)

        def served_everywhere() -> bool:
            seen = set()
            for _ in range(12):
                for listener in ("people", "machines"):
                    with changing.connect(listener) as peer:
                        seen.add(serial(peer))
            return seen == {wanted}

        assert wait_for(served_everywhere, "the new certificate")
        assert serial(before) != wanted
        assert before.ask("GET", "/hello").status == 200
    presented = changing.authority.client()
    with changing.connect("machines", changing.client_context(presented)) as peer:
        assert peer.ask("GET", "/who").json()["certificate"] == digest(presented[0])


def test_certificate_that_does_not_fit_its_key_is_not_served(changing: RunningProgram) -> None:
    with changing.connect("people") as peer:
        before = serial(peer)
    good = (changing.directory / "server.pem").read_bytes()
    (changing.directory / "server.pem").write_bytes(changing.authority.server("other")[0])
    assert "do not belong together" in changing.logged("server certificate not replaced")["detail"]
    with changing.connect("people") as peer:
        assert serial(peer) == before
        assert peer.ask("GET", "/hello").status == 200
    (changing.directory / "server.pem").write_bytes(good)


def test_reload_with_a_certificate_that_cannot_be_served_is_refused(tmp_path: Path) -> None:
    with RunningProgram(tmp_path, workers=2, greeting="old") as program:
        (tmp_path / "server.pem").write_bytes(program.authority.server("other")[0])
        program.choose(workers=2, greeting="new")
        program.signal(signal.SIGHUP)
        assert "do not belong together" in program.logged("reload refused; the old settings stay")["detail"]
        with program.connect() as peer:
            assert peer.ask("GET", "/hello").json()["greeting"] == "old"
        program.signal(signal.SIGHUP)
        wait_for(lambda: times_logged(program, "reload refused; the old settings stay") == 2, "the second refusal")
        assert times_logged(program, "reload has finished") == 0


def times_logged(program: RunningProgram, event: str) -> int:
    return sum(line["event"] == event for line in program.log())
