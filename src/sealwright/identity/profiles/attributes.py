"""What is kept about a person beside names and mail addresses: the standard claims of OpenID Connect. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date

from msgspec import Struct

from sealwright.errors import pointer_to
from sealwright.identity.errors import TextRefused
from sealwright.identity.policy import check_line

LONGEST = 128
LONGEST_URL = 2_048
LONGEST_ADDRESS = 512

_URL = re.compile(r"https?://[^\s\"<>\\^`{|}\x00-\x1f\x7f]{1,2000}")
_ZONE = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,2}")
_LOCALE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8}){0,4}")
_PHONE = re.compile(r"\+[1-9][0-9]{4,14}")
_PHONE_SEPARATORS = re.compile(r"[ ().\-\u00a0/]")
_BIRTHDATE = re.compile(r"([0-9]{4})(?:-([0-9]{2})-([0-9]{2}))?")
_NO_YEAR, _LEAP_YEAR = "0000", 2000


class PersonAttribute(Struct, frozen=True):
    """One thing that is known about a person."""

    value: str
    verified: bool
    """Whether an administrator asserted it; what people write about themselves is not."""


def _line(text: str) -> str:
    return check_line(text, "it", 1, LONGEST)


def _lines(text: str) -> str:
    lines = text.replace("\r\n", "\n").strip().split("\n")
    if not 1 <= len(text) <= LONGEST_ADDRESS:
        raise ValueError(f"it has 1 to {LONGEST_ADDRESS} characters")
    return "\n".join(check_line(line, "it", 0, LONGEST) for line in lines)


def _url(text: str) -> str:
    if not _URL.fullmatch(text) or len(text) > LONGEST_URL:
        raise ValueError("it is an https:// or http:// URL")
    return text


def _birthdate(text: str) -> str:
    found = _BIRTHDATE.fullmatch(text)
    if found is None:
        raise ValueError("it is YYYY-MM-DD, YYYY, or 0000-MM-DD where the year is not given")
    year, month, day = found.groups()
    try:
        date(_LEAP_YEAR if year == _NO_YEAR else int(year), int(month or 1), int(day or 1))
    except ValueError as cause:
        raise ValueError("there is no such day") from cause
    return text


def _matching(pattern: re.Pattern[str], form: str) -> Callable[[str], str]:
    def check(text: str) -> str:
        if not pattern.fullmatch(text):
            raise ValueError(form)
        return text

    return check


def _phone(text: str) -> str:
    number = _PHONE_SEPARATORS.sub("", text)
    if not _PHONE.fullmatch(number):
        raise ValueError("it is an international number, such as +49 30 1234567 (E.164)")
    return number


ATTRIBUTES: Mapping[str, Callable[[str], str]] = {
    "given_name": _line,
    "family_name": _line,
    "middle_name": _line,
    "nickname": _line,
    "profile": _url,
    "picture": _url,
    "website": _url,
    "gender": _line,
    "birthdate": _birthdate,
    "zoneinfo": _matching(_ZONE, "it is a name of the time zone database, such as Europe/Berlin"),
    "locale": _matching(_LOCALE, "it is a language tag, such as de-AT"),
    "phone_number": _phone,
    "address.formatted": _lines,
    "address.street_address": _lines,
    "address.locality": _line,
    "address.region": _line,
    "address.postal_code": _line,
    "address.country": _line,
}
"""Every attribute by its name, which is that of the claim (OpenID Connect Core, section 5.1), and what checks and cleans it."""


def check_attributes(changes: Mapping[str, str | None]) -> dict[str, str | None]:
    """Attributes as they are stored; None or an empty text takes one away. Raises TextRefused, naming the attribute."""
    return {name: None if not value else _checked(name, value) for name, value in changes.items()}


def _checked(name: str, value: str) -> str:
    check = ATTRIBUTES.get(name)
    if check is None:
        raise TextRefused(
            f"There is no attribute {name[:80]!r} of a person.",
            hint=f"There are {', '.join(ATTRIBUTES)}.",
            pointer=pointer_to("attributes", name[:80]),
        )
    try:
        return check(value.strip())
    except (ValueError, TextRefused) as cause:
        detail = f"{value[:80]!r} cannot be the {name} of a person."
        reasons = cause.reasons if isinstance(cause, TextRefused) else (str(cause),)
        raise TextRefused(detail, reasons=reasons, pointer=pointer_to("attributes", name)) from cause
