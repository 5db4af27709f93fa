import asyncio
import ipaddress

import pytest

from sealwright.outbound import GuardedOutbound, OutboundFailed, is_public


def network(text):
    return ipaddress.ip_network(text)


def resolver(*addresses):
    async def answer(host, port):
        if not addresses:
            raise OSError("Name or service not known")
        return [ipaddress.ip_address(each) for each in addresses]

    return answer


def expect_failure(url, words, *addresses, **options):
    outbound = GuardedOutbound(resolver=resolver(*addresses), **options)
    with pytest.raises(OutboundFailed, match=words) as caught:
        asyncio.run(outbound.get(url))
    return caught.value


@pytest.mark.parametrize(
    "text", ["8.8.8.8", "1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00:1450::1", "64:ff9b::808:808"]
)
def test_addresses_of_the_internet_are_public(text):
    assert is_public(ipaddress.ip_address(text))


@pytest.mark.parametrize(
    "text",
    [
        *("0.0.0.0", "10.0.0.1", "100.64.0.1", "127.0.0.1", "127.255.255.255", "169.254.169.254", "172.16.0.1", "172.31.255.255"),
        *("192.0.0.170", "192.0.2.1", "192.168.1.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "255.255.255.255"),
        *("::", "::1", "fe80::1", "fc00::1", "fd12:3456::1", "ff02::1", "2001::1", "2001:db8::1", "2002:7f00:1::1", "::7f00:1"),
        *("64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "100::1", "::ffff:8.8.8.8", "fec0::1", "fe80::1%eth0"),
    ],
)
def test_special_addresses_are_not_public(text):
    assert not is_public(ipaddress.ip_address(text))


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "169.254.169.254", "::1", "fd00::1", "::ffff:127.0.0.1"])
def test_name_that_leads_to_a_private_address_is_refused_without_telling_the_address(address):
    failure = expect_failure("https://inside.example.org/x", "leads to a private address", address)
    assert "inside.example.org" in failure.detail
    assert address not in failure.detail
    assert str(failure.__cause__).startswith("inside.example.org leads to ")


def test_address_in_the_url_is_checked_like_a_name():
    for host in ("127.0.0.1", "[::1]", "169.254.169.254", "2130706433", "0x7f.1", "localhost"):
        outbound = GuardedOutbound()
        with pytest.raises(OutboundFailed, match=r"private address|not known"):
            asyncio.run(outbound.get(f"https://{host}/latest/meta-data"))


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://example.org/", "is not an https address"),
        ("ftp://example.org/", "is not an https address"),
        ("file:///etc/passwd", "is not an https address"),
        ("example.org", "is not an https address"),
        ("https://", "not an address that can be called"),
        ("https:///path", "not an address that can be called"),
        ("https://user@example.org/", "not an address that can be called"),
        ("https://user:pass@example.org/", "not an address that can be called"),
        ("https://example.org/#part", "not an address that can be called"),
        ("https://example.org:99999/", "not an address that can be called"),
        ("https://example.org:port/", "not an address that can be called"),
        ("https://example.org\\@127.0.0.1/", "not an address that can be called"),
        ("https://[::1/", "not an address that can be called"),
        ("https://example.org/a b", "holds characters"),
        ("https://example.org/\r\nhost: x", "holds characters"),
        ("https://exämple.org/", "holds characters"),
        ("https://example.org/" + "a" * 3_000, "too long"),
    ],
)
def test_addresses_that_are_not_called_are_refused_before_any_look_up(url, words):
    asked = []

    async def answer(host, port):
        asked.append(host)
        return []

    outbound = GuardedOutbound(resolver=answer)
    with pytest.raises(OutboundFailed, match=words):
        asyncio.run(outbound.get(url))
    assert asked == []


def test_unknown_name_is_said_so():
    expect_failure("https://nowhere.example.org/", "the host name nowhere.example.org is not known")


def test_name_that_leads_nowhere_is_refused():
    async def answer(host, port):
        return []

    with pytest.raises(OutboundFailed, match="leads to no address"):
        asyncio.run(GuardedOutbound(resolver=answer).get("https://empty.example.org/"))


def test_slow_name_server_is_not_waited_for():
    async def answer(host, port):
        await asyncio.sleep(30)
        return []

    with pytest.raises(OutboundFailed, match=r"did not answer within 0\.05 seconds"):
        asyncio.run(GuardedOutbound(resolver=answer).get("https://slow.example.org/", timeout=0.05))


def test_query_is_not_repeated_in_messages():
    failure = expect_failure("https://x.example.org/path?code=secret", "cannot be reached")
    assert "secret" not in failure.detail
    for url in ("http://x.example.org/?code=secret", "https://bob:secret@x.example.org/"):
        assert "secret" not in expect_failure(url, "is not an").detail


def test_unreadable_roots_are_said_so(tmp_path):
    (tmp_path / "roots.pem").write_text("nothing")
    for file in (tmp_path / "roots.pem", tmp_path / "missing.pem"):
        expect_failure("https://x.example.org/", f"{file.name} .outbound.ca_file. cannot be read", "8.8.8.8", ca_file=file)
