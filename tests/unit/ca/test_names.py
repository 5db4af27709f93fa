import idna
import pytest

from sealwright.ca import names
from sealwright.ca.errors import CertificateNameRefused
from sealwright.ca.models import Name, NameType
from sealwright.confusables import scripts_of, shown

DNS, IP, EMAIL, URI = NameType.DNS, NameType.IP, NameType.EMAIL, NameType.URI
LABEL_63 = "a" * 63
DNS_253 = ".".join([LABEL_63, LABEL_63, LABEL_63, "a" * 61])


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("192.0.2.1", IP),
        ("2001:db8::1", IP),
        ("::1", IP),
        ("::ffff:192.0.2.1", IP),
        ("https://id.example.org/x#y", URI),
        ("spiffe://example.org/web", URI),
        ("urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6", URI),
        ("mailto:alice@example.org", URI),
        ("localhost:8443", URI),
        ("alice@example.org", EMAIL),
        ("web.example.org", DNS),
        ("localhost", DNS),
        ("alice", DNS),
        ("*.example.org", DNS),
        ("1.2.3", DNS),
        ("256.1.1.1", DNS),
        ("", DNS),
    ],
)
def test_type_is_told_from_the_text(text, kind):
    assert names.type_of(text) is kind
    assert names.split([text]) == (Name(kind, text),)


@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        ("WEB.Example.ORG", "web.example.org"),
        ("localhost", "localhost"),
        ("*.Example.org", "*.example.org"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("XN--BCHER-KVA.example", "xn--bcher-kva.example"),
        (DNS_253, DNS_253),
        ("9.example", "9.example"),
        ("a--b.example", "a--b.example"),
        ("192.0.2.1", "192.0.2.1"),
        ("2001:0DB8:0:0:0:0:0:1", "2001:db8::1"),
        ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("Alice.B+ca@Example.ORG", "Alice.B+ca@example.org"),
        ("o'brien@example.org", "o'brien@example.org"),
        ("HTTPS://Id.Example.org:8443/Path?Q=1#Sub", "https://id.example.org:8443/Path?Q=1#Sub"),
        ("https://[2001:DB8::1]:443/", "https://[2001:db8::1]:443/"),
        ("https://192.0.2.1/x", "https://192.0.2.1/x"),
        ("https://id.example.org#a%20b", "https://id.example.org#a%20b"),
        ("URN:Example:X", "urn:Example:X"),
        ("spiffe://Example.ORG/ns/Default", "spiffe://example.org/ns/Default"),
        ("spiffe://trust_domain", "spiffe://trust_domain"),
    ],
)
def test_each_name_has_one_form(given, canonical):
    found = names.parse(given)
    assert found.value == canonical
    assert names.canonical(found) == found


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is empty"),
        ("example.org.", "ends with a dot"),
        ("a..example.org", "empty label"),
        (".example.org", "empty label"),
        ("web_1.example.org", "underscore"),
        ("_acme-challenge.example.org", "underscore"),
        ("-web.example.org", "hyphen"),
        ("web-.example.org", "hyphen"),
        (f"{LABEL_63}a.example.org", "longer than 63"),
        (DNS_253 + "a", "254 characters"),
        ("web example.org", "letters, digits, hyphens and dots"),
        ("web\0.example.org", r"control character \(U\+0000\)"),
        ("web\n.example.org", "control character"),
        ("web\x7f.example.org", "control character"),
        ("\u202egro.elpmaxe", "invisible or direction-changing"),
        ("we\u200bb.example.org", "invisible"),
        ("web\u2028.example.org", "line separator"),
        ("web\ue000.example.org", "private-use"),
        ("b\u00fccher.example", "not ASCII"),
        ("p\u0430ypal.example", "not ASCII"),
        ("*", "must be the whole first label"),
        ("*.org", "top-level domain"),
        ("*.", "is empty"),
        ("*.*.example.org", "letters, digits"),
        ("web.*.example.org", "whole first label"),
        ("w*.example.org", "whole first label"),
        ("*web.example.org", "whole first label"),
        ("1.2.3", "number"),
        ("256.1.1.1", "number"),
        ("web.0x7f", "number"),
        ("1.2.0.192.in-addr.arpa", "reverse zone"),
        ("in-addr.arpa", "reverse zone"),
        ("8.b.d.0.1.0.0.2.IP6.ARPA", "reverse zone"),
        ("xn--a.example", "not a valid encoded name"),
        ("xn--.example", "hyphen"),
        ("xn--pypal-4ve.example", "mixes letters of Cyrillic and Latin"),
        ("ab--cd.example", "reserved"),
        ("xn--ls8h.example", "not a valid encoded name"),
    ],
)
def test_hostile_dns_names_are_refused_in_words(text, why):
    with pytest.raises(CertificateNameRefused, match=why):
        names.canonical(Name(DNS, text))


@pytest.mark.parametrize("label", ["пример", "παράδειγμα", "日本語かな", "abcカナ漢字", "한국어abc", "مثال", "bücher"])
def test_encoded_labels_whose_scripts_are_written_together_are_accepted(label):
    encoded = f"{idna.alabel(label).decode()}.example"
    assert names.parse(encoded).value == encoded


@pytest.mark.parametrize("label", ["p\u0430ypal", "\u03b1lpha", "\u0440\u0430\u0443\u0440\u0430l", "\u043aana\u6f22\u5b57"])
def test_encoded_labels_that_mix_scripts_are_refused(label):
    encoded = f"{idna.alabel(label).decode()}.example"
    with pytest.raises(CertificateNameRefused, match="mixes letters of"):
        names.parse(encoded)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("10.0.0.0/8", "names a network"),
        ("2001:db8::/32", "names a network"),
        ("fe80::1%eth0", "names an interface"),
        ("0.0.0.0", "not the address of one machine"),
        ("::", "not the address of one machine"),
        ("255.255.255.255", "not the address of one machine"),
        ("224.0.0.1", "not the address of one machine"),
        ("ff02::1", "not the address of one machine"),
        ("192.0.2.01", "is not an IP address"),
        ("192.0.2", "is not an IP address"),
        ("1\u0662.0.0.1", "is not an IP address"),
        ("", "is not an IP address"),
    ],
)
def test_addresses_that_are_not_one_machine_are_refused(text, why):
    with pytest.raises(CertificateNameRefused, match=why):
        names.canonical(Name(IP, text))


@pytest.mark.parametrize(("text", "why"), [("10.0.0.0/8", "network"), ("fe80::1%eth0", "interface"), ("::1/128", "network")])
def test_networks_and_zones_are_recognised_as_addresses_and_refused(text, why):
    with pytest.raises(CertificateNameRefused, match=why):
        names.parse(text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("@example.org", "not an e-mail address"),
        ("alice@", "not an e-mail address"),
        ("alice", "not an e-mail address"),
        ("al\u00efce@example.org", "not ASCII"),
        ("alice@b_\u00fccher.example", "no host name may have"),
        ('"al ice"@example.org', "quotes, spaces or misplaced dots"),
        ("al ice@example.org", "quotes, spaces"),
        (".alice@example.org", "misplaced dots"),
        ("a..b@example.org", "misplaced dots"),
        ("alice@bob@example.org", "quotes, spaces"),
        ("alice\0@example.org", "control character"),
        ("alice@example.org\0.evil.example", "control character"),
        ("alice\u202e@example.org", "invisible"),
        ("alice@[192.0.2.1]", "letters, digits"),
        ("alice@*.example.org", "letters, digits"),
        ("alice@example.org.", "ends with a dot"),
        ("a" * 65 + "@example.org", "too long"),
        ("a@" + DNS_253, "too long"),
    ],
)
def test_hostile_mail_addresses_are_refused_in_words(text, why):
    with pytest.raises(CertificateNameRefused, match=why):
        names.canonical(Name(EMAIL, text))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("localhost:8443", "host with a port"),
        ("https:///path", "no host"),
        ("https:path", "no host"),
        ("https://", "no host"),
        ("https://:443/", "no host"),
        ("urn:", "names nothing"),
        ("//example.org/", "not an absolute URI"),
        ("https://user@example.org/", "user name"),
        ("https://user:secret@example.org/", "user name"),
        ("https://example.org:99999/", "port"),
        ("https://example.org:80a/", "port"),
        ("https://example.org:/", "port"),
        ("https://[::1/", "port|brackets|host|absolute"),
        ("https://[192.0.2.1]/", "brackets"),
        ("https://ex_ample.org/", "underscore"),
        ("https://*.example.org/", "letters, digits"),
        ("https://example.org./", "dot"),
        ("https://example.org/a b", "not an absolute URI"),
        ("https://example.org/%zz", "not an absolute URI"),
        ("https://example.org/<x>", "not an absolute URI"),
        ("https://ex\u0430mple.org/", "not an absolute URI"),
        ("https://example.org/\0", "control character"),
        ("https://example.org/\u202e", "invisible"),
        ("https://example.org/" + "a" * 2048, "2048 are allowed"),
        ("spiffe:///path", "SPIFFE"),
        ("spiffe:path", "no host"),
        ("spiffe://example.org:80/x", "SPIFFE"),
        ("spiffe://user@example.org/x", "SPIFFE"),
        ("spiffe://example.org/x?y", "SPIFFE"),
        ("spiffe://example.org/x#y", "SPIFFE"),
        ("spiffe://example.org//x", "segment"),
        ("spiffe://example.org/x/", "segment"),
        ("spiffe://example.org/../x", "segment"),
        ("spiffe://example.org/%41", "segment"),
    ],
)
def test_hostile_uris_are_refused_in_words(text, why):
    with pytest.raises(CertificateNameRefused, match=why):
        names.canonical(Name(URI, text))


def test_refusal_shows_hostile_characters_escaped_and_cut():
    with pytest.raises(CertificateNameRefused) as caught:
        names.parse("evil\u202e\n" + "x" * 500)
    assert caught.value.detail.isprintable()
    assert "\\u{202e}\\u{a}" in caught.value.detail
    assert len(caught.value.detail) < 300


@pytest.mark.parametrize("position", range(5))
def test_one_bad_name_among_many_is_found_wherever_it_stands(position):
    good = [f"web{number}.example.org" for number in range(5)]
    bad = [*good[:position], "web_bad.example.org", *good[position:]]
    assert len(names.canonical_all(names.split(good))) == 5
    with pytest.raises(CertificateNameRefused, match="web_bad"):
        names.canonical_all(names.split(bad))


def test_names_are_kept_in_order_and_each_once():
    given = names.split(["b.example.org", "A.example.org", "B.EXAMPLE.ORG", "alice@example.org"])
    assert [name.value for name in names.canonical_all(given)] == ["b.example.org", "a.example.org", "alice@example.org"]


def test_hundred_names_are_accepted_and_one_more_is_refused():
    hundred = names.split(f"web{number}.example.org" for number in range(100))
    assert len(names.canonical_all(hundred)) == 100
    with pytest.raises(CertificateNameRefused, match="101 names; a certificate may have 100"):
        names.canonical_all((*hundred, Name(DNS, "one.example.org")))


def test_spiffe_identity_stands_alone_among_uris():
    identity = Name(URI, "spiffe://example.org/web")
    assert names.canonical_all([identity, Name(DNS, "web.example.org")])
    with pytest.raises(CertificateNameRefused, match="only URI"):
        names.canonical_all([Name(URI, "https://example.org/"), identity])


def test_person_of_a_provider_is_named_by_issuer_and_sub():
    name = names.uri_of_subject("https://ID.example.org/oauth2/openid/step", "auth0|8f 2c'\u00e9@x")
    assert name == Name(URI, "https://id.example.org/oauth2/openid/step#auth0%7C8f%202c%27%C3%A9@x")


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        (Name(EMAIL, "alice@EXAMPLE.org"), Name(EMAIL, "alice@example.org"), True),
        (Name(EMAIL, "Alice@example.org"), Name(EMAIL, "alice@example.org"), False),
        (Name(DNS, "WEB.example.org"), Name(DNS, "web.example.org"), True),
        (Name(IP, "::ffff:192.0.2.1"), Name(IP, "192.0.2.1"), True),
        (Name(DNS, "192.0.2.1"), Name(IP, "192.0.2.1"), False),
        (Name(DNS, "a_b"), Name(DNS, "a-b"), False),
    ],
)
def test_names_are_compared_in_their_canonical_form(left, right, same):
    assert names.same(left, right) is same


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"),
        (" alice", "space"),
        ("alice ", "space"),
        ("a" * 65, "65 characters"),
        ("証" * 65, "65 characters"),
        ("ali\u00a0ce", "unusual space"),
        ("ali\0ce", "control"),
        ("ali\u202ece", "direction"),
        ("ali\u200bce", "invisible"),
    ],
)
def test_common_names_that_deceive_are_refused(text, why):
    with pytest.raises(CertificateNameRefused, match=why):
        names.common_name(text)


@pytest.mark.parametrize("text", ["alice", "Alice Müller", "8f2c6a0e-1c1b-4f5d-9f5e-1f2a3b4c5d6e", "a" * 64, "李雷", "証" * 64])
def test_common_names_keep_their_letters(text):
    assert names.common_name(text) == text


def test_scripts_are_told_apart():
    assert scripts_of("abc-1") == {"LATIN"}
    assert scripts_of("p\u0430") == {"LATIN", "CYRILLIC"}
    assert scripts_of("漢字かなカナー") == {"CJK", "HIRAGANA", "KATAKANA"}


def test_shown_text_is_never_empty():
    assert shown("") == '""'
