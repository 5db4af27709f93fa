import base64
import ipaddress
from datetime import UTC, datetime, timedelta
from itertools import count
from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given, settings
from hypothesis import strategies as st

from sealwright.app.home import Home
from sealwright.app.program import _plan
from sealwright.clock import FixedClock, from_datetime
from sealwright.http import Peer
from sealwright.runtime.proxies import CERTIFICATE_FIELDS, ListedProxies, Proxies
from sealwright.runtime.throttled_log import PAUSE, ThrottledLog
from sealwright.settings.forms import CERTIFICATE_HEADERS
from tests.app import settings as chosen
from tests.flows.listeners_certificates import TestAuthority

AUTHORITY = TestAuthority()
PROXY = Peer("10.0.0.5", b"the proxy's own")


def networks(*texts):
    return tuple(ipaddress.ip_network(each) for each in texts)


def proxies(*texts, listed=None, clock=None, told=None):
    def tell(_event, **fields):
        if told is not None:
            told.append(fields)

    listed = listed or ListedProxies(networks(*texts), networks(*texts))
    unread = ThrottledLog(tell, "unread", count(step=PAUSE).__next__)
    return Proxies(listed, clock or FixedClock(from_datetime(datetime.now(UTC))), unread)


def header(pem):
    der = x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)
    return {"client-cert": f":{base64.b64encode(der).decode()}:"}


def client(headers, trust=AUTHORITY.root_pem, **given):
    return proxies("10.0.0.0/8", **given).client(PROXY, headers, trust)


@pytest.mark.parametrize(
    ("address", "believed"),
    [("10.1.2.3", True), ("11.1.2.3", False), ("fd00::1", True), ("::1", False), ("", False), ("10.1.2", False)],
)
def test_only_listed_addresses_are_believed(address, believed):
    assert proxies("10.0.0.0/8", "fd00::/8").include(address) is believed


def test_no_one_is_believed_unless_listed():
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
        ("203.0.113.7:1234", "203.0.113.7"),
        ("[2001:db8::1]:1234", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ('"[2001:db8::1]:1234"', "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("[fe80::1%25eth0]:1", "fe80::1"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("203.0.113.7, ::ffff:10.0.0.9, 10.0.0.8:443", "203.0.113.7"),
        (", 203.0.113.7 ,, ,10.0.0.9,", "203.0.113.7"),
        (",".join([""] * 50 + ["203.0.113.7"] + ["10.0.0.9"] * 20), "203.0.113.7"),
    ],
)
def test_address_is_the_last_that_no_proxy_of_ours_added(forwarded, address):
    assert client({"x-forwarded-for": forwarded}).address == address


@pytest.mark.parametrize(
    "element",
    [
        "unknown",
        "_hidden",
        "host.example",
        "203.0.113.7:",
        "203.0.113.7:99999999",
        "[203.0.113.7]",
        "[2001:db8::1",
        "[::1]x",
        "1.2.3",
    ],
)
def test_what_cannot_be_read_ends_the_walk_at_the_proxy_that_wrote_it(element):
    told: list[dict[str, str]] = []
    assert client({"x-forwarded-for": element}, told=told).address == "10.0.0.5"
    assert client({"x-forwarded-for": f"203.0.113.7, {element}, 10.0.0.9"}, told=told).address == "10.0.0.9"
    assert client({"x-forwarded-for": f"{element}, 203.0.113.7, 10.0.0.9"}, told=told).address == "203.0.113.7"
    assert [each["element"] for each in told] == [element, element]


def test_header_is_not_believed_of_a_proxy_that_is_listed_for_certificates_only():
    listed = ListedProxies(certificate=networks("10.0.0.0/8"))
    assert client({"x-forwarded-for": "203.0.113.7"}, listed=listed).address == "10.0.0.5"


ADDRESSES = st.one_of(st.ip_addresses(v=4, network="203.0.113.0/24"), st.ip_addresses(v=6, network="2001:db8::/32"))
HOPS = st.ip_addresses(v=4, network="10.0.0.0/8")
PORTS = st.one_of(st.none(), st.integers(0, 65_535))


def written(address, port, zone):
    """An address as one proxy or another writes it."""
    text = f"{address}%{zone}" if address.version == 6 and zone else str(address)
    if port is None:
        return text
    return f"[{text}]:{port}" if address.version == 6 else f"{text}:{port}"


@settings(deadline=None)
@given(
    ADDRESSES,
    PORTS,
    st.sampled_from(["", "eth0", "2"]),
    st.lists(st.tuples(HOPS, PORTS), max_size=5),
    st.text('0123456789abcdef.:[]%, "unkow_', max_size=60),
    st.lists(st.integers(0, 9), max_size=4),
)
def test_client_cannot_change_what_address_it_is_taken_for(address, port, zone, hops, forged, gaps):
    elements = [written(address, port, zone), *(written(hop, port, "") for hop, port in hops)]
    for gap in gaps:
        elements.insert(1 + gap % len(elements), " ")
    assert client({"x-forwarded-for": ",".join([forged, *elements])}).address == str(address)


@settings(deadline=None)
@given(st.text(max_size=200))
def test_whatever_a_proxy_writes_some_address_comes_of_it(forwarded):
    assert ipaddress.ip_address(client({"x-forwarded-for": forwarded}).address)


def test_certificate_of_the_client_takes_the_place_of_the_proxys():
    pem = AUTHORITY.client()[0]
    assert client(header(pem)).certificate is None
    assert client(header(pem)).forwarded_certificate == x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)
    assert client({}) == Peer("10.0.0.5")


@pytest.mark.parametrize("field", [":AAAA:", "AAAA", ":*:", ":AAAA", ":" + "A" * 20_000 + ":", ":AAAA:, :AAAA:"])
def test_header_that_holds_no_certificate_is_none_and_says_why(field):
    peer = client({"client-cert": field})
    assert peer.certificate is None
    assert peer.forwarded_certificate is None
    assert "Client-Cert" in peer.forwarding_fault


def test_header_with_a_certificate_of_no_version_is_none_and_says_why():
    der = x509.load_pem_x509_certificate(AUTHORITY.client()[0]).public_bytes(Encoding.DER)
    spoilt = der.replace(bytes.fromhex("a003020102"), bytes.fromhex("a003020107"), 1)
    peer = client({"client-cert": f":{base64.b64encode(spoilt).decode()}:"})
    assert peer.forwarded_certificate is None
    assert "does not hold a certificate" in peer.forwarding_fault


@pytest.mark.parametrize("field", ["", "::"])
def test_empty_header_is_as_if_absent(field):
    assert client({"client-cert": field}) == client({})


def test_header_of_a_proxy_that_is_not_listed_for_certificates_is_nothing():
    fields = header(AUTHORITY.client()[0]) | {"client-cert-chain": ":AAAA:"}
    assert client(fields, listed=ListedProxies(address=networks("10.0.0.0/8"))) == client({})
    assert fields == {}


def test_certificate_is_not_looked_at_on_a_listener_without_client_certificates():
    assert client({"client-cert": ":AAAA:"}, trust=b"") == client({})


@pytest.mark.parametrize(
    "pem",
    [
        TestAuthority("Test Root").client()[0],
        AUTHORITY.client(days=-1)[0],
        AUTHORITY.issue("server", usage=ExtendedKeyUsageOID.SERVER_AUTH)[0],
    ],
    ids=["foreign", "expired", "for servers"],
)
def test_certificate_that_is_not_for_our_clients_is_none(pem):
    assert "not issued here" in client(header(pem)).forwarding_fault


def test_certificate_does_not_count_once_it_has_expired():
    clock = FixedClock(from_datetime(datetime.now(UTC)))
    pem = AUTHORITY.client()[0]
    assert client(header(pem), clock=clock).forwarded_certificate
    clock.advance(timedelta(days=2))
    assert client(header(pem), clock=clock).forwarded_certificate is None


# --- headers from before RFC 9440 -------------------------------------------------------------------------------------

ESCAPED = quote(AUTHORITY.client()[0].decode(), safe="")
LEGACY = {
    "x-ssl-cert": ESCAPED,
    "x-ssl-client-cert": ESCAPED,
    "ssl-client-cert": ESCAPED,
    "x-amzn-mtls-clientcert-leaf": ESCAPED,
    "x-forwarded-client-cert": f'Hash=ab;Cert="{ESCAPED}";URI=spiffe://a/b',
}


def told_by(name, headers):
    listed = ListedProxies(networks("10.0.0.0/8"), networks("10.0.0.0/8"), name)
    return proxies(listed=listed).client(PROXY, headers, AUTHORITY.root_pem)


@pytest.mark.parametrize(("name", "value"), LEGACY.items())
def test_named_header_is_read_and_no_other(name, value):
    assert told_by(name, {name: value}).forwarded_certificate is not None
    others = LEGACY | header(AUTHORITY.client()[0])
    del others[name]
    peer = told_by(name, others)
    assert (peer.forwarded_certificate, peer.forwarding_fault, others) == (None, "", {})


WRONG = {
    "twice": ("x-ssl-cert", f"{ESCAPED}, {ESCAPED}"),
    "two in one": ("x-ssl-cert", ESCAPED + ESCAPED),
    "no PEM": ("ssl-client-cert", "text"),
    "no base64": ("ssl-client-cert", "-----BEGIN CERTIFICATE-----%0AA%0A-----END CERTIFICATE-----"),
    "not UTF-8": ("ssl-client-cert", "%ff"),
    "two elements": ("x-forwarded-client-cert", f'Cert="{ESCAPED}",Cert="{ESCAPED}"'),
    "an element before": ("x-forwarded-client-cert", f'Hash=ab,Cert="{ESCAPED}"'),
    "no Cert": ("x-forwarded-client-cert", "Hash=ab"),
    "too long": ("x-ssl-cert", ESCAPED + "%20" * 20_000),
}


@pytest.mark.parametrize(("name", "value"), WRONG.values(), ids=WRONG.keys())
def test_header_that_is_not_of_its_form_is_none_and_says_why(name, value):
    peer = told_by(name, {name: value})
    assert peer.forwarded_certificate is None
    assert peer.forwarding_fault


def test_every_header_that_settings_name_is_known_here():
    assert {each.lower() for each in CERTIFICATE_HEADERS} == CERTIFICATE_FIELDS - {"client-cert-chain"}


def test_list_of_proxies_that_covers_everything_is_warned_of(tmp_path, capfd):
    (tmp_path / "settings.toml").touch()
    for listed, warned in ((["10.0.0.0/8"], False), (["0.0.0.0/0"], True), (["::/0"], True)):
        _plan(chosen(home=tmp_path, certificate_proxies=networks(*listed)), Home(tmp_path))
        assert ("covers every address" in capfd.readouterr().err) == warned
