import base64
import ipaddress
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from sealwright.clock import FixedClock, from_datetime
from sealwright.errors import InvalidInput
from sealwright.server.proxies import Proxies
from sealwright.wire import Peer
from tests.flows.listeners_certificates import TestAuthority

AUTHORITY = TestAuthority()
PROXY = Peer("10.0.0.5", b"the proxy's own")


def proxies(*networks, clock=None):
    return Proxies([ipaddress.ip_network(each) for each in networks], clock or FixedClock(from_datetime(datetime.now(UTC))))


def header(pem):
    der = x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)
    return {"client-cert": f":{base64.b64encode(der).decode()}:"}


def client(headers, trust=AUTHORITY.root_pem, clock=None):
    return proxies("10.0.0.0/8", clock=clock).client(PROXY, headers, trust)


@pytest.mark.parametrize(
    ("address", "believed"),
    [("10.1.2.3", True), ("11.1.2.3", False), ("fd00::1", True), ("::1", False), ("", False), ("10.1.2", False)],
)
def test_only_listed_addresses_are_believed(address, believed):
    assert proxies("10.0.0.0/8", "fd00::/8").include(address) is believed


def test_nobody_is_believed_unless_listed():
    assert not proxies().include("127.0.0.1")


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("203.0.113.7, 10.0.0.9", "203.0.113.7"),
        ("198.51.100.1, 203.0.113.7, 10.0.0.9,10.0.0.8", "203.0.113.7"),
        ("2001:db8::1", "2001:db8::1"),
        ("10.0.0.9", "10.0.0.9"),
        ("", "10.0.0.5"),
        ("unknown", "10.0.0.5"),
        ("203.0.113.7, rubbish, 10.0.0.9", "10.0.0.9"),
        ("203.0.113.7:1234", "10.0.0.5"),
    ],
)
def test_address_is_the_last_that_no_proxy_of_ours_added(forwarded, address):
    assert client({"x-forwarded-for": forwarded}).address == address


def test_certificate_of_the_client_takes_the_place_of_the_proxys():
    pem = AUTHORITY.client()[0]
    assert client(header(pem)).certificate == x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)
    assert client({}).certificate is None


@pytest.mark.parametrize("field", ["", "::", ":AAAA:", "AAAA", ":*:", ":AAAA", ":" + "A" * 20_000 + ":", ":AAAA:, :AAAA:"])
def test_header_that_holds_no_certificate_is_refused(field):
    with pytest.raises(InvalidInput):
        client({"client-cert": field})


@pytest.mark.parametrize(
    "pem",
    [
        TestAuthority("Test Root").client()[0],
        AUTHORITY.client(days=-1)[0],
        AUTHORITY.issue("server", usage=ExtendedKeyUsageOID.SERVER_AUTH)[0],
    ],
    ids=["foreign", "expired", "for servers"],
)
def test_certificate_that_is_not_for_our_clients_is_refused(pem):
    with pytest.raises(InvalidInput, match="not issued here"):
        client(header(pem))


def test_certificate_is_refused_once_it_has_expired():
    clock = FixedClock(from_datetime(datetime.now(UTC)))
    pem = AUTHORITY.client()[0]
    assert client(header(pem), clock=clock).certificate
    clock.advance(timedelta(days=2))
    with pytest.raises(InvalidInput):
        client(header(pem), clock=clock)


def test_certificate_is_refused_where_nobody_is_trusted():
    with pytest.raises(InvalidInput):
        client(header(AUTHORITY.client()[0]), trust=b"")
