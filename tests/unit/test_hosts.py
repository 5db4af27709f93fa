"""What one part of the server accepts as a host name or mail address, every other accepts, too."""

import pytest

from sealwright.ca import names
from sealwright.ca.errors import CertificateNameRefused
from sealwright.client_metadata import require_redirect_uri
from sealwright.errors import InvalidInput, Refused
from sealwright.hosts import HostRefused, canonical_host, canonical_mail
from sealwright.identity.policy import check_mail
from sealwright.settings import forms

GOOD = ("localhost", "id.example.org", "xn--bcher-kva.example", "a-b.example", "1.example", "3com.example", "a" * 63 + ".example")
BAD = (
    "id_server",
    "node.1",
    "host.123",
    "host.0x1f",
    "ab--cd.example",
    "my-host-.example",
    "-a.example",
    "id.example.org.",
    "a..example",
    "bücher.example",
    "xn--a.example",
    "xn--pypal-4ve.example",
    "a" * 64 + ".example",
    "1.2.in-addr.arpa",
    "a b.example",
    "",
)


def accepted(read, *given) -> bool:
    try:
        read(*given)
    except (ValueError, Refused):
        return False
    return True


@pytest.mark.parametrize("host", [*GOOD, *BAD], ids=repr)
def test_settings_certificates_and_mail_addresses_judge_a_host_alike(host):
    expected = host in GOOD
    assert accepted(canonical_host, host) is expected
    assert accepted(forms.read_host, host) is expected
    assert accepted(forms.read_address, f"{host}:8443") is expected
    assert accepted(forms.read_https_origin, f"https://{host}:8443") is expected
    assert accepted(names.parse, host) is expected


@pytest.mark.parametrize("host", [*GOOD, *BAD], ids=repr)
def test_people_and_certificates_judge_a_mail_address_alike(host):
    assert accepted(check_mail, f"alice@{host}") is accepted(names.parse, f"alice@{host}")


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "224.0.0.1", "255.255.255.255"])
def test_address_of_no_machine_is_no_name_of_the_server(address):
    assert not accepted(forms.read_host, address)
    assert not accepted(names.parse, address)


def test_every_address_can_be_listened_on():
    assert str(forms.read_address("0.0.0.0:443")) == "0.0.0.0:443"
    assert str(forms.read_address("[::]:443")) == "[::]:443"


def test_name_of_the_server_is_in_the_form_that_its_certificate_has():
    assert forms.read_host("ID.Example.ORG") == "id.example.org"
    assert forms.read_host("2001:DB8:0::1") == "2001:db8::1"


def test_mail_address_at_a_host_in_other_letters_gets_its_encoded_form():
    assert canonical_mail("alice@Bücher.example") == "alice@xn--bcher-kva.example"
    assert names.parse("alice@bücher.example").value == "alice@xn--bcher-kva.example"


def test_local_part_in_other_letters_is_refused_in_words():
    with pytest.raises(CertificateNameRefused, match="local part that is not ASCII"):
        names.parse("älice@example.org")
    with pytest.raises(InvalidInput) as refused:
        check_mail("älice@example.org")
    assert "RFC 9598" in refused.value.reasons[0]


def test_letters_that_imitate_others_are_refused_also_before_they_are_encoded():
    with pytest.raises(HostRefused, match="mixes letters of"):
        canonical_mail("alice@pаypal.example")  # noqa: RUF001 - the second letter is Cyrillic


@pytest.mark.parametrize("uri", ["https://my_app.example.org/cb", "https://_a.example/cb", "https://[2001:db8::1]:1/cb"])
def test_underscore_is_allowed_in_a_url_of_someone_else(uri):
    assert accepted(require_redirect_uri, uri)
