"""Parts of the listeners that need no socket."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from sealwright.clock import FixedClock, Instant
from sealwright.entropy import SeededEntropy
from sealwright.http import Listener
from sealwright.runtime.channel import ChannelClosed, Report, channel_pair
from sealwright.runtime.listener_state import CoarseClock, RequestIds
from sealwright.runtime.listeners import ListenAddress
from sealwright.runtime.ports import PortHolder, holder_of
from sealwright.runtime.tls import ListenerCertificateRefused, LiveContext, TlsMaterial
from tests.flows.listeners_certificates import TestAuthority

AUTHORITY = TestAuthority()
UUID = "b6f6b3e2-6d7e-4a0b-8d38-5d0e3a1c2f4d"


def material(authority=AUTHORITY, kind="EC", trust=None):
    chain, key = authority.server(kind=kind)
    return TlsMaterial(chain, key, authority.root_pem if trust is None else trust)


def test_request_ids_count_within_a_worker_and_differ_between_workers():
    one, two = RequestIds(SeededEntropy(1)), RequestIds(SeededEntropy(2))
    assert len({one.of({}), one.of({}), two.of({}), two.of({})}) == 4


@pytest.mark.parametrize(
    ("headers", "taken"),
    [
        ({"x-request-id": UUID}, True),
        ({"x-smallstep-id": UUID}, True),
        ({"x-request-id": UUID, "x-smallstep-id": "other"}, True),
        ({"x-request-id": f"{UUID}\t"}, False),
        ({"x-request-id": "a" * 129}, False),
        ({"x-request-id": "<script>"}, False),
        ({"x-request-id": "ü"}, False),
        ({"x-request-id": ""}, False),
    ],
)
def test_request_id_of_the_peer_is_taken_over_when_it_is_sane(headers, taken):
    assert (RequestIds(SeededEntropy(1)).of(headers) == UUID) is taken


def test_date_is_that_of_the_clock():
    clock = FixedClock(Instant(1_795_344_000_000))
    ticking: Any = SimpleNamespace(time=lambda: 7.0)
    coarse_clock = CoarseClock(ticking, clock)
    assert (coarse_clock.now, coarse_clock.date) == (7.0, "date: Sun, 22 Nov 2026 10:40:00 GMT\r\n")
    clock.advance(timedelta(seconds=1))
    coarse_clock.refresh()
    assert coarse_clock.date == "date: Sun, 22 Nov 2026 10:40:01 GMT\r\n"


def test_only_machines_are_asked_for_a_certificate():
    asked = {each: ListenAddress(each, "localhost", 1, tls=True).client_certificates for each in Listener}
    assert asked == {Listener.PEOPLE: False, Listener.MACHINES: True, Listener.STATUS: False}


@pytest.mark.parametrize(
    ("host", "tls", "url"),
    [
        ("localhost", True, "https://localhost:8443"),
        ("::1", True, "https://[::1]:8443"),
        ("", False, "http://localhost:8443"),
    ],
)
def test_url_of_an_address(host, tls, url):
    assert ListenAddress(Listener.PEOPLE, host, 8443, tls=tls).url(8443) == url


@pytest.mark.parametrize("swap", ["key", "chain", "encrypted"])
def test_certificate_and_key_that_do_not_fit_are_refused(swap):
    good, other = material(), material()
    encrypted = b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n"
    bad = {
        "key": TlsMaterial(good.chain_pem, other.key_pem, good.trust_pem),
        "chain": TlsMaterial(b"rubbish", good.key_pem, good.trust_pem),
        "encrypted": TlsMaterial(good.chain_pem, encrypted, good.trust_pem),
    }[swap]
    live = LiveContext(good, client_certificates=True)
    before = live.context
    with pytest.raises(ListenerCertificateRefused):
        live.adopt(bad)
    assert live.context is before
    assert live.material is good


def test_renewed_certificate_goes_into_the_context_in_use():
    live = LiveContext(material(), client_certificates=False)
    before = live.context
    assert live.adopt(live.material) is False
    assert live.adopt(material()) is False
    assert live.context is before


def test_context_that_takes_any_client_certificate_is_followed_by_another():
    live = LiveContext(material(), client_certificates=True)
    assert live.adopt(live.material) is False
    assert live.adopt(material()) is True


def test_other_kind_of_key_takes_a_new_context():
    live = LiveContext(material(), client_certificates=False)
    assert live.adopt(material(kind="RSA")) is True


def test_key_is_not_shown():
    assert "PRIVATE" not in repr(material())


def test_both_ends_of_a_channel_understand_each_other():
    parent, worker = channel_pair()
    try:
        assert worker.report(Report("failed", "It broke.", "Mend it."))
        assert parent.receive_report() == Report("failed", "It broke.", "Mend it.")
        assert parent.send_settings({"a": 1})
        assert worker.receive_settings() == {"a": 1}
        worker.close()
        with pytest.raises(ChannelClosed):
            parent.receive_report()
        assert not parent.send_settings({})
    finally:
        parent.close()


def test_channel_that_no_one_reads_stops_no_one():
    parent, worker = channel_pair()
    try:
        sent = [worker.report(Report("alive")) for _ in range(10_000)]
        assert sent[0]
        assert not sent[-1]
    finally:
        parent.close()
        worker.close()


PROC_ROW = (
    "   0: 0100007F:20FB 00000000:0000 {state} 00000000:00000000 00:00000000 00000000  1000        0 {inode} 1 0 100 0 0 10 0"
)


def proc(tmp_path, state="0A"):
    (tmp_path / "net").mkdir()
    row = PROC_ROW.format(state=state, inode=4711)
    (tmp_path / "net" / "tcp").write_text(f"  sl  local_address rem_address   st\n{row}\n")
    process = tmp_path / "4117"
    (process / "fd").mkdir(parents=True)
    (process / "fd" / "3").symlink_to("socket:[4711]")
    (process / "comm").write_text("nginx\n")
    (tmp_path / "4118").mkdir()
    return tmp_path


def test_holder_of_a_port_is_found(tmp_path):
    assert holder_of(8443, proc(tmp_path)) == PortHolder(4117, "nginx")
    assert str(PortHolder(4117, "nginx")) == "pid 4117, nginx"


def test_holder_of_another_port_or_state_is_no_one(tmp_path):
    assert holder_of(8444, proc(tmp_path)) is None


def test_connection_on_a_port_does_not_hold_it(tmp_path):
    assert holder_of(8443, proc(tmp_path, state="01")) is None
