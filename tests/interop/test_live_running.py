"""A running server: its certificate renews itself, settings are read again, workers die, and it ends without dropping anybody."""

import asyncio
import json
import os
import signal
import socket
import threading
import time
from contextlib import ExitStack, contextmanager, suppress

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from demo.forms import Browser
from sealwright.access import SYSTEM
from sealwright.app.dependencies import opened
from sealwright.app.wiring import build
from sealwright.ca import CertificateRequest, Claims, KeyKind, SigningGrant, certificates_pem, names
from sealwright.ca.profiles import SERVER
from sealwright.ca.public_keys import encoded
from sealwright.clock import Instant
from sealwright.settings import load
from tests.interop.wire import Requester, exchange, line, new_key
from tests.live import PATIENCE, free_ports, live_server, wait_until


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server with two workers that looks for its certificate every second, for the tests here to disturb."""
    with live_server(
        tmp_path_factory.mktemp("running"), set_up=False, settings={"workers": "2", "tls.look_every": '"1s"'}
    ) as made:
        yield made


class Load:
    """Connections that ask without a pause, each for as long as it lives, and must always be answered."""

    def __init__(self, server):
        self._server = server
        self._stop = threading.Event()
        self.answers = 0
        self.failures = []
        requester = Requester(server)
        reads = [(server.machines, "/health"), (server.machines, "/provisioners"), (server.people, "/ui/sign-in")]
        self._threads = [threading.Thread(target=self._ask, args=(*each,)) for each in reads]
        requester.token("load.example.org")  # opens the provisioner's key, which takes a while
        self._threads.append(threading.Thread(target=self._sign, args=(requester,)))

    def _repeat(self, origin, ask):
        try:
            with line(origin, self._server.root) as opened:
                while not self._stop.is_set():
                    status = ask(opened)
                    if status not in (200, 201):
                        self.failures.append(status)
                    self.answers += 1
        except (OSError, AssertionError) as failure:
            self.failures.append(repr(failure))

    def _ask(self, origin, path):
        self._repeat(origin, lambda opened: opened.send("GET", path).status)

    def _sign(self, requester):
        self._repeat(
            self._server.machines, lambda opened: opened.send("POST", "/sign", requester.sign_body("load.example.org")).status
        )

    def __enter__(self):
        for each in self._threads:
            each.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for each in self._threads:
            each.join(2 * PATIENCE)

    def wait_for_answers(self, more):
        """Until so many further answers have come."""
        goal = self.answers + more
        wait_until(lambda: self.answers >= goal or self.failures, f"{more} answers")


def served_certificate(origin, root):
    with line(origin, root) as opened:
        return opened.served


def page_title(server):
    return Browser(server.root).open(f"{server.people}/ui/sign-in").title


# --- the server's own certificate ---


def due_in(server, seconds):
    """A certificate and key for the server of which two thirds of the life will be over in so many seconds.

    It is made in the server's home, as the server makes its own: no one can ask for one.
    """
    key = new_key()
    begin, end = (Instant(int((time.time() + seconds + offset) * 1000)) for offset in (-600, 300))
    request = CertificateRequest(key.public_key(), KeyKind.EC, encoded(key.public_key()), not_before=begin, not_after=end)
    grant = SigningGrant(
        provisioner_id="",
        provisioner_name="this server",
        profile=SERVER.name,
        actor=SYSTEM,
        claims=Claims(),
        common_name="localhost",
        names=names.canonical_all(names.split(["localhost", "127.0.0.1"])),
        for_this_server=True,
    )

    async def issue():
        async with opened(load(server.home)) as around:
            return await build(around).ca.issuance.issue(grant, request)

    issued = asyncio.run(issue())
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return x509.load_der_x509_certificate(issued.der), certificates_pem((issued.der, *issued.chain)).encode() + private


def put_in_place(file, content):
    """As a program does that renews a certificate: whole, or not at all."""
    fresh = file.with_name("fresh.pem")
    fresh.write_bytes(content)
    fresh.replace(file)


def test_server_certificate_is_replaced_and_renews_itself_under_load(server):
    first = served_certificate(server.machines, server.root)
    lives = first.not_valid_after_utc - first.not_valid_before_utc
    assert lives.total_seconds() < 25 * 3600  # short-lived
    file = server.home / "run" / "server.pem"
    second, not_due = due_in(server, 300)
    due, content = due_in(server, -1)
    with Load(server) as load:
        load.wait_for_answers(20)
        put_in_place(file, not_due)
        wait_until(lambda: served_certificate(server.machines, server.root) == second)
        put_in_place(file, content)
        wait_until(lambda: served_certificate(server.machines, server.root) not in (first, second, due))
        wait_until(lambda: served_certificate(server.people, server.root) not in (first, second, due))
        load.wait_for_answers(20)
    assert load.failures == []
    wait_until(lambda: len({served_certificate(server.machines, server.root) for _ in range(10)}) == 1)  # of every worker
    third = served_certificate(server.machines, server.root)
    assert third.not_valid_before_utc > due.not_valid_before_utc
    names = third.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost"]
    assert third.subject.rfc4514_string() == "CN=localhost"  # the main name, whatever the others are
    assert b"PRIVATE KEY" in file.read_bytes()
    assert file.stat().st_mode & 0o077 == 0


# --- SIGHUP ---


@contextmanager
def restored(server):
    """Settings and provisioner files as before, also for the server."""
    text = (server.home / "settings.toml").read_text()
    try:
        yield
    finally:
        (server.home / "settings.toml").write_text(text)
        (server.home / "secrets" / "key-encryption.key").chmod(0o600)
        for file in (server.home / "provisioners").iterdir():
            file.unlink()
        server.reload()


ENDPOINT = "https://id.example.org/.well-known/openid-configuration"


def write_provisioner(server, definition):
    (server.home / "provisioners" / "extra.json").write_text(
        definition if isinstance(definition, str) else json.dumps(definition)
    )


def provisioner_names(server):
    with line(server.machines, server.root) as opened:
        return sorted(each["name"] for each in opened.send("GET", "/provisioners").json()["provisioners"])


def test_new_settings_and_provisioner_files_are_read_under_load(server):
    with restored(server), Load(server) as load:
        load.wait_for_answers(10)
        server.set("name", '"Renamed"')
        write_provisioner(server, {"type": "OIDC", "name": "extra", "clientID": "extra", "configurationEndpoint": ENDPOINT})
        server.reload()
        assert "Renamed" in page_title(server)
        assert provisioner_names(server) == ["extra", "first", "sealwright"]
        load.wait_for_answers(10)
    assert load.failures == []
    assert provisioner_names(server) == ["first", "sealwright"]
    assert "Renamed" not in page_title(server)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda server: server.set("sessions.idle", '"soon"'),
            'settings.toml, line {}: sessions.idle = "soon" must be a duration',
        ),
        (lambda server: server.set("outbound.ca_file", '"server.key"'), 'outbound.ca_file = "server.key" cannot be read'),
        (lambda server: (server.home / "settings.toml").write_text("name ="), "line 1: the file is not TOML"),
        (
            lambda server: server.set("database_url", '"sqlite:///other.db"'),
            "database_url names another database than the one in use",
        ),
        (lambda server: write_provisioner(server, "{"), "extra.json: it is not JSON: "),
        (lambda server: write_provisioner(server, {"type": "OIDC", "name": "x", "clientid": "y"}), "clientid"),
        (lambda server: write_provisioner(server, {"type": "SCEP", "name": "x"}), "SCEP"),
        (lambda server: (server.home / "secrets" / "key-encryption.key").chmod(0o644), "can be read or changed by others"),
    ],
)
def test_bad_file_is_refused_at_reload_and_the_old_settings_stay(server, change, words):
    title, names = page_title(server), provisioner_names(server)
    with restored(server), Load(server) as load:
        load.wait_for_answers(10)
        server.set("name", '"Renamed"')
        change(server)
        before = len(server.log.read_text())
        server.reload()
        written = server.log.read_text()[before:]
        assert "stay" in written
        text = (server.home / "settings.toml").read_text().splitlines()
        number = next((number for number, each in enumerate(text, 1) if each.startswith("idle = ")), 0)
        assert words.format(number).replace('"', '\\"') in written
        assert not list(server.home.glob("other.db*"))
        assert page_title(server) == title
        assert provisioner_names(server) == names
        load.wait_for_answers(10)
    assert load.failures == []


def test_listen_addresses_stay_until_the_next_start_and_the_log_says_so(server):
    with restored(server):
        (elsewhere,) = free_ports(1)
        server.set("listen.people", f'"127.0.0.1:{elsewhere}"')
        before = len(server.log.read_text())
        server.reload()
        assert "a change of [listen] or workers takes effect at the next start" in server.log.read_text()[before:]
        assert page_title(server)


# --- workers and the end ---


def test_worker_that_is_killed_is_replaced(server):
    wait_until(lambda: len(server.workers()) == 2)
    before = server.workers()
    with line(server.machines, server.root) as one, line(server.machines, server.root) as other:
        os.kill(before[0], signal.SIGKILL)
        alive = 0
        for each in (one, other):
            with suppress(OSError, AssertionError):
                alive += each.send("GET", "/health").status == 200
        for _ in range(20):  # connections that meet the gap wait for the next worker
            with line(server.machines, server.root) as opened:
                assert opened.send("GET", "/health").status == 200
    wait_until(lambda: len(server.workers()) == 2 and before[0] not in server.workers())
    assert before[1] in server.workers()
    assert '"event":"worker died and is replaced"' in server.log.read_text()


def test_request_that_has_begun_is_answered_at_the_end_and_nothing_new_is_taken(tmp_path):
    with live_server(tmp_path, set_up=False) as ending, ExitStack() as lines:
        assert ending.process is not None
        content = json.dumps(Requester(ending).sign_body("last.example.org")).encode()
        idle = lines.enter_context(line(ending.machines, ending.root))
        busy = lines.enter_context(line(ending.machines, ending.root))
        assert idle.send("GET", "/health").status == 200
        secured = busy.http.sock
        head = f"POST /sign HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n"
        secured.sendall(f"{head}Expect: 100-continue\r\n\r\n".encode())
        assert secured.recv(4096) == b"HTTP/1.1 100 Continue\r\n\r\n"  # so it has begun
        secured.sendall(content[:100])
        ending.process.send_signal(signal.SIGTERM)
        wait_until(lambda: refuses_connections(ending.machines_port))
        assert idle.http.sock.recv(1) == b""  # closed in good order, not reset
        secured.sendall(content[100:])
        answer = b""
        while piece := secured.recv(65_536):
            answer += piece
        assert answer.startswith(b"HTTP/1.1 201 "), answer[:300]
        assert b"BEGIN CERTIFICATE" in answer
        assert ending.process.wait(20) == 0
        assert not (ending.home / "run" / "addresses.json").exists()


def refuses_connections(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return True
    return False


def test_server_that_has_nothing_to_do_ends_at_once(tmp_path):
    with live_server(tmp_path, set_up=False) as ending:
        assert b"200 OK" in exchange(
            ending.machines, ending.root, b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        )
        began = time.monotonic()
        assert ending.stop() == 0
        assert time.monotonic() - began < 15  # it would wait 20 s for requests


def test_stopped_server_leaves_its_database_in_one_file(tmp_path):
    with live_server(tmp_path) as server:
        for _ in range(4):  # the workers end at the same time, and their order is chance
            assert server.stop() == 0
            assert {path.name for path in server.home.glob("sealwright.db*")} == {"sealwright.db", "sealwright.db.lock"}
            server.start()
