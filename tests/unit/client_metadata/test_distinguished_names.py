import pytest

from sealwright.client_metadata import NameMalformed, comparable_name, parse_name

COMMON_NAME, ORGANIZATION, DOMAIN = "2.5.4.3", "2.5.4.10", "0.9.2342.19200300.100.1.25"


@pytest.mark.parametrize(
    "text",
    [
        "CN=Billing Service,O=Example",
        "cn=billing service,o=EXAMPLE",
        "CN = Billing   Service , O = Example",
        "2.5.4.3=Billing Service,OID.2.5.4.10=Example",
        r"CN=Billing\20Service,O=Example",
        r"CN=\42illing Service,O=Example",
        "CN=Billing Service;O=Example",
        "CN=\N{FULLWIDTH LATIN CAPITAL LETTER B}illing Service,O=Example",
    ],
)
def test_spellings_of_one_name_are_equal(text):
    assert parse_name(text) == comparable_name([[(ORGANIZATION, "Example")], [(COMMON_NAME, "Billing Service")]])


@pytest.mark.parametrize(
    "text",
    [
        "O=Example,CN=Billing Service",
        "CN=Billing Service+O=Example",
        "CN=Billing Service,O=Example,C=DE",
        "CN=Billing Service",
        "CN=BillingService,O=Example",
        "OU=Billing Service,O=Example",
    ],
)
def test_other_names_are_not_equal(text):
    assert parse_name(text) != comparable_name([[(ORGANIZATION, "Example")], [(COMMON_NAME, "Billing Service")]])


def test_order_of_attributes_within_a_relative_name_does_not_count():
    assert parse_name("CN=a+OU=b,O=c") == parse_name("OU=b+CN=a,O=c")


def test_escaped_characters_are_those_that_they_stand_for():
    expected = comparable_name([[(DOMAIN, "example")], [(COMMON_NAME, 'Doe, Jane+"x" <y>\\')]])
    assert parse_name(r"CN=Doe\, Jane\+\"x\" \<y\>\\,DC=example") == expected
    assert parse_name(r"CN=Lu\C4\8Di\C4\87") == comparable_name([[(COMMON_NAME, "Lučić")]])


def test_name_with_a_nul_equals_no_name_without():
    assert comparable_name([[(COMMON_NAME, "billing\0.example")]]) != comparable_name([[(COMMON_NAME, "billing.example")]])
    assert comparable_name([[(COMMON_NAME, "billing\0")]]) != comparable_name([[(COMMON_NAME, "billing")]])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is empty"),
        ("billing", "has no TYPE=VALUE"),
        ("CN=", "no value"),
        ("CN=a,,O=b", "has no TYPE=VALUE"),
        ("CN=a,", "has no TYPE=VALUE"),
        ("XY=a", "which is none of"),
        ("CN=#0403", "hexadecimal"),
        ('CN="a"', "no value"),
        ("CN=a+CN=b", "twice"),
        (r"CN=a\00b", "NUL"),
        (r"CN=\ff", "UTF-8"),
        ("CN=" + "a" * 3000, "characters"),
    ],
)
def test_text_that_is_no_name_is_refused_with_the_reason(text, reason):
    with pytest.raises(NameMalformed, match=reason):
        parse_name(text)
