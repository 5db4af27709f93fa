"""A server that is killed in the middle of signing: what anybody received is in the store, and every signature had an intent."""

import itertools
import json
import threading
from collections import Counter

import pytest
from cryptography import x509

from tests.interop.wire import Requester, line
from tests.live import ADMIN_PASSWORD, PATIENCE, live_server, wait_until

ROUNDS = 3


class Signing:
    """Threads that ask for certificates until the server is gone. Each name is asked for with one token only."""

    def __init__(self, server, requester, numbers):
        self._server = server
        self._requester = requester
        self._numbers = numbers
        self.received = {}
        self.unanswered = {}
        self.refused = []
        self._threads = [threading.Thread(target=self._ask) for _ in range(4)]

    def _ask(self):
        try:
            with line(self._server.machines, self._server.root) as opened:
                while True:
                    name = f"n{next(self._numbers)}.example.org"
                    body = self._requester.sign_body(name)
                    self.unanswered[name] = body
                    answer = opened.send("POST", "/sign", body)
                    if answer.status != 201:
                        self.refused.append(answer)
                        return
                    self.received[name] = answer.json()["crt"]
                    del self.unanswered[name]
        except (OSError, AssertionError, ValueError):  # the server is gone
            return

    def until_killed(self, answers):
        """Kill every process of the server at once after so many answers, in the middle of the next ones."""
        for each in self._threads:
            each.start()
        try:
            wait_until(lambda: len(self.received) >= answers, f"{answers} answers")
        finally:
            self._server.kill()
            for each in self._threads:
                each.join(2 * PATIENCE)


@pytest.fixture(scope="module")
def aftermath(tmp_path_factory):
    """A server that was killed several times while it signed, and runs again; with everything that clients received."""
    with live_server(tmp_path_factory.mktemp("crash"), set_up=False) as server:
        requester = Requester(server)
        requester.token("open-the-key")
        numbers = itertools.count()
        received: dict[str, str] = {}
        unanswered: dict[str, object] = {}
        for number in range(ROUNDS):
            signing = Signing(server, requester, numbers)
            signing.until_killed(25 + 7 * number)
            assert signing.refused == []
            received |= signing.received
            unanswered |= signing.unanswered
            findings = [
                json.loads(each) for each in server.attempt("doctor", "--dir", server.home, "-o", "json").stdout.splitlines()
            ]
            assert [each for each in findings if not each["ok"]] == []
            assert "all addresses are free" in [each["detail"] for each in findings]
            server.start()
        admin = server.file("admin-password", ADMIN_PASSWORD)
        server.sealwright("recover-account", "admin", "--dir", server.home, "--password-file", admin)
        server.sealwright("login", "-D", "admin", "--password-file", admin)
        yield server, received, unanswered


def inventory(server):
    """Every certificate in the store, by the management API."""
    with line(server.people, server.root) as opened:
        told = opened.send("POST", "/api/v1/login", {"name": "admin", "password": ADMIN_PASSWORD}).json()

        def ask(path):
            return opened.send("GET", f"/api/v1/certificates{path}", authorization=f"Bearer {told['token']}").json()

        page = ask("?limit=200")
        found = page["items"]
        while page["next"]:
            page = ask(f"?limit=200&after={page['next']}")
            found += page["items"]
        return [ask(f"/{each['serial']}") for each in found]


def name_of(entry):
    return entry["names"][0]["value"] if entry["names"] else entry["subject_name"]


def test_every_certificate_that_a_client_received_is_in_the_store_byte_by_byte(aftermath):
    server, received, _ = aftermath
    assert len(received) >= 25 * ROUNDS
    stored = {name_of(each): each["certificate"] for each in inventory(server) if each["state"] == "issued"}
    assert {name: stored.get(name) for name in received} == received
    name, pem = next(iter(received.items()))
    serial = str(x509.load_pem_x509_certificate(pem.encode()).serial_number)
    assert server.sealwright("certificate", "show", serial, "--pem").strip() == pem.strip()
    assert server.sealwright_json("certificate", "show", serial)["certificate"] == pem
    assert name in server.sealwright("certificate", "show", serial)


def test_no_intent_stays_open_and_none_is_forgotten(aftermath):
    server, _, unanswered = aftermath
    states = Counter(each["state"] for each in inventory(server))
    assert "intended" not in states
    assert set(states) <= {"issued", "maybe_signed", "failed"}
    by_name = {name_of(each): each for each in inventory(server)}
    for name in unanswered:  # nothing was begun, or it is in the inventory with what became of it
        assert name not in by_name or by_name[name]["state"] in ("issued", "maybe_signed"), name
    for each in by_name.values():
        if each["state"] == "maybe_signed":
            assert each["certificate"] is None
            serial = each["serial"]
            events = [json.loads(text)["event"] for text in _audit(server, serial)]
            assert events[-1] == "certificate.intended"
            assert "certificate.unresolved" in events


def _audit(server, serial):
    return server.sealwright("audit", "list", "--target", f"certificate:{serial}", "-o", "json").splitlines()


def test_audit_record_is_unbroken_and_has_an_intent_before_each_certificate(aftermath):
    server, received, _ = aftermath
    assert "unbroken" in server.sealwright("doctor", "--dir", server.home)
    for pem in list(received.values())[:5]:
        serial = x509.load_pem_x509_certificate(pem.encode()).serial_number.to_bytes(20, "big").hex()
        events = [json.loads(text)["event"] for text in _audit(server, serial)]
        assert events == ["certificate.issued", "certificate.intended"]


def test_token_of_a_request_that_was_cut_off_is_not_good_for_a_second_certificate(aftermath):
    server, _, unanswered = aftermath
    before = Counter(name_of(each) for each in inventory(server) if each["state"] == "issued")
    with line(server.machines, server.root) as opened:
        for name, body in unanswered.items():
            answer = opened.send("POST", "/sign", body)
            assert answer.status == (401 if before[name] else answer.status)
            assert answer.status in (201, 401)
    after = Counter(name_of(each) for each in inventory(server) if each["state"] == "issued")
    assert [name for name, count in after.items() if count > 1 and name.startswith("n")] == []
