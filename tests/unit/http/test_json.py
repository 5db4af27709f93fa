"""What a request gives a handler to read."""

from typing import Annotated, Literal
from urllib.parse import parse_qsl

import msgspec
import pytest

from sealwright.errors import InvalidInput
from sealwright.http import MAX_COOKIES, MAX_FORM_FIELDS, Request


def cookie_of(header: str) -> str | None:
    return Request("GET", "/", headers={"cookie": header}).cookie("__Host-sealwright_session")


def test_cookie_is_found_among_others() -> None:
    assert cookie_of("theme=dark; __Host-sealwright_session=abc; x=y") == "abc"


def test_odd_cookie_of_another_program_on_the_same_host_does_not_hide_ours() -> None:
    assert cookie_of('state={"a": 1, "b": "c"}; bare; __Host-sealwright_session=abc') == "abc"


def test_comma_in_a_foreign_value_does_not_make_a_cookie_of_ours() -> None:
    assert cookie_of("x=1, __Host-sealwright_session=forged") is None
    assert cookie_of("x=1,__Host-sealwright_session=forged; __Host-sealwright_session=abc") == "abc"


def test_cookie_that_comes_twice_counts_as_absent() -> None:
    assert cookie_of("__Host-sealwright_session=abc; __Host-sealwright_session=forged") is None


@pytest.mark.parametrize("header", ["", ";", "=", "__Host-sealwright_sessions=abc", "a=__Host-sealwright_session=abc"])
def test_absent_cookie_is_none(header: str) -> None:
    assert cookie_of(header) is None


def test_value_may_hold_an_equals_sign() -> None:
    assert cookie_of("__Host-sealwright_session=abc==") == "abc=="


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a=1&b=2",
        "a=1&&b=2&",
        "a",
        "a=&=b",
        "a=b=c",
        "a+b=c+d",
        "a%20b=%2B%26%3D",
        "%C3%A9=%E2%82%AC",
        "a=%zz&b=%",
        "a=1;b=2",
        "é=ü",
    ],
)
def test_fields_are_read_as_the_standard_library_reads_them(text):
    assert Request("GET", "/", text).query() == dict(parse_qsl(text, keep_blank_values=True))


@pytest.mark.parametrize("text", ["a=1&name=%FF", "name=%C3", "%FF=1"])
def test_field_that_is_not_utf8_is_refused_by_name_and_not_mended(text):
    headers = {"content-type": "application/x-www-form-urlencoded"}
    for read in (Request("GET", "/", text).query, Request("POST", "/", "", headers, text.encode()).form):
        with pytest.raises(InvalidInput, match=r"The parameter '(name|%FF)' is not UTF-8 text"):
            read()


class Inner(msgspec.Struct):
    a: int


class Shape(msgspec.Struct, forbid_unknown_fields=True):
    ott: str | None = None
    inner: list[Inner] = []
    kind: Literal["x", "y"] = "x"
    rates: dict[str, float] = {}
    some: tuple[str, ...] = ()
    long: Annotated[str, msgspec.Meta(min_length=2)] = "xx"
    on: bool = False
    count: Annotated[int, msgspec.Meta(ge=1, le=9)] | None = 1
    either: Inner | list[Inner] | None = None
    picture: bytes = b""
    since: Annotated[str, msgspec.Meta(pattern="^[0-9]+$")] = "1"


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ('{"ott": 1}', "The member ott must be a text or null, not a whole number."),
        ('{"foo": 1}', "The member foo is not known here."),
        ('{"inner": [{}]}', "The member inner[0].a is missing."),
        ('{"inner": [{"a": 1.5}]}', "The member inner[0].a must be a whole number, not a number."),
        ('{"inner": {}}', "The member inner must be a list, not an object."),
        ('{"kind": "z"}', "The member kind must be x or y, not 'z'."),
        ('{"rates": {"x": "y"}}', "The member rates.x must be a number, not a text."),
        ('{"some": [true]}', "The member some[0] must be a text, not true or false."),
        ('{"long": "x"}', "The member long must be a text of at least 2 characters."),
        ('{"count": 10}', "The member count must be a whole number of at least 1 and of at most 9 or null."),
        ('{"count": "1"}', "The member count must be a whole number of at least 1 and of at most 9 or null, not a text."),
        ('{"either": {"a": null}}', "The member either.a must be a whole number, not null."),
        ('{"either": [{"a": 1}, {"a": "x"}]}', "The member either[1].a must be a whole number, not a text."),
        ('{"either": 1}', "The member either must be an object or a list or null, not a whole number."),
        ('{"picture": "!"}', "The member picture must be a text in base64."),
        ('{"since": "x"}', "The member since must be a text that matches ^[0-9]+$."),
        ("[]", "The JSON body must be an object, not a list."),
        ("", "The JSON body is not JSON: Expecting value in line 1, column 1."),
        ("{} x", "The JSON body is not JSON: Extra data in line 1, column 4."),
    ],
)
def test_json_that_does_not_fit_is_told_in_words_and_by_member(body, told):
    with pytest.raises(InvalidInput) as refused:
        Request("POST", "/", body=body.encode()).json(Shape)
    assert refused.value.detail == told


@pytest.mark.parametrize("text", ["a=1&a=2", "a=1&%61=2", "a+b=1&a%20b=1"])
def test_field_that_comes_twice_is_refused(text):
    with pytest.raises(InvalidInput, match="more than once"):
        Request("GET", "/", text).query()


def test_number_of_fields_is_bounded():
    assert len(Request("GET", "/", "&".join(f"f{number}=1" for number in range(MAX_FORM_FIELDS))).query()) == MAX_FORM_FIELDS
    with pytest.raises(InvalidInput, match="more than 200 parameters"):
        Request("GET", "/", "&".join(f"f{number}=1" for number in range(MAX_FORM_FIELDS + 1))).query()


def test_more_cookies_than_a_browser_sends_are_refused() -> None:
    ours = "__Host-sealwright_session=abc"
    assert cookie_of("; ".join(["a=b"] * (MAX_COOKIES - 1) + [ours])) == "abc"
    with pytest.raises(InvalidInput, match="500 cookies"):
        cookie_of("; ".join(["a=b"] * MAX_COOKIES + [ours]))
