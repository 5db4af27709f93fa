"""Distinguished names as text (RFC 4514), and the form in which two of them are compared (RFC 4517, section 4.2.15). Pure.

Two names are equal where they have the same attributes in the same order of relative names, whatever their case, spacing,
escapes and string types are. Every attribute is compared as caseIgnoreMatch does, which is how those of certificates compare.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

ComparableName = tuple[frozenset[tuple[str, str]], ...]
"""The relative names from the root down, each a set of attributes: OID and prepared value."""

LONGEST_NAME = 2_048

_OIDS = {
    "CN": "2.5.4.3",
    "SERIALNUMBER": "2.5.4.5",
    "C": "2.5.4.6",
    "L": "2.5.4.7",
    "ST": "2.5.4.8",
    "STREET": "2.5.4.9",
    "O": "2.5.4.10",
    "OU": "2.5.4.11",
    "TITLE": "2.5.4.12",
    "GN": "2.5.4.42",
    "GIVENNAME": "2.5.4.42",
    "SN": "2.5.4.4",
    "SURNAME": "2.5.4.4",
    "DNQUALIFIER": "2.5.4.46",
    "ORGANIZATIONIDENTIFIER": "2.5.4.97",
    "UID": "0.9.2342.19200300.100.1.1",
    "DC": "0.9.2342.19200300.100.1.25",
    "E": "1.2.840.113549.1.9.1",
    "EMAIL": "1.2.840.113549.1.9.1",
    "EMAILADDRESS": "1.2.840.113549.1.9.1",
}
"""Short names that RFC 4514 and common programs write."""

_OID = re.compile(r"(?:0|1|2)(?:\.(?:0|[1-9][0-9]{0,19})){1,31}")
_TYPE = re.compile(r" *(?P<type>[A-Za-z][A-Za-z0-9-]{0,63}|(?:OID\.)?[0-9.]{3,200}) *= *", re.IGNORECASE)
_VALUE = re.compile(r'(?:[^\\,+;"<>#=\x00 ]|\\.|[ =#])(?:[^\\,+;"<>\x00]|\\.)*|', re.DOTALL)
_ESCAPED_BYTES = re.compile(r"(?:\\[0-9A-Fa-f]{2})+")
_ESCAPED = re.compile(r'\\([ "#+,;<=>\\])')
_SPACES = re.compile(r" +")


class NameMalformed(ValueError):
    """Why a text is not a distinguished name, as the end of a sentence that begins with the text."""


def comparable_name(relative_names: Iterable[Iterable[tuple[str, str]]]) -> ComparableName:
    """The form in which a name is compared, from its relative names, from the root down: OID and value of each attribute."""
    return tuple(frozenset((oid, _prepared(value)) for oid, value in attributes) for attributes in relative_names)


def parse_name(text: str) -> ComparableName:
    """The same from the text of RFC 4514, which begins at the other end; raises NameMalformed."""
    if not text.strip(" "):
        raise NameMalformed("is empty")
    if len(text) > LONGEST_NAME:
        raise NameMalformed(f"has {len(text)} characters; {LONGEST_NAME} are allowed")
    relative: list[list[tuple[str, str]]] = [[]]
    at = 0
    while True:
        oid, value, at = _attribute(text, at)
        relative[-1].append((oid, value))
        if at == len(text):
            break
        if text[at] not in ",+;":
            raise NameMalformed(f"cannot be read from {text[at : at + 20]!r} on")
        if text[at] != "+":
            relative.append([])
        at += 1
    if any(len({oid for oid, _ in each}) != len(each) for each in relative):
        raise NameMalformed("gives one attribute twice in a relative name")
    return comparable_name(reversed(relative))


def _attribute(text: str, at: int) -> tuple[str, str, int]:
    match = _TYPE.match(text, at)
    if match is None:
        raise NameMalformed(f"has no TYPE=VALUE at {text[at : at + 20]!r}")
    oid = _oid_of(match["type"])
    at = match.end()
    if text[at : at + 1] == "#":
        raise NameMalformed("gives a value in hexadecimal; write it as text")
    value = _VALUE.match(text, at)
    raw = "" if value is None else value[0]
    if not raw.strip(" "):
        raise NameMalformed(f"gives {match['type']} no value")
    return oid, _unescaped(raw), at + len(raw)


def _oid_of(written: str) -> str:
    upper = written.upper()
    dotted = upper.removeprefix("OID.")
    oid = _OIDS.get(upper) or (dotted if _OID.fullmatch(dotted) else "")
    if not oid:
        raise NameMalformed(f"has the attribute {written[:40]!r}, which is none of {', '.join(sorted(_OIDS))} and no OID")
    return oid


def _unescaped(raw: str) -> str:
    # A space that is escaped at the end is a part of the value; one that is not is only there to be read.
    stripped = raw.rstrip(" ")
    kept = stripped + " " if stripped.endswith("\\") and not stripped.endswith("\\\\") else stripped
    try:
        decoded = _ESCAPED_BYTES.sub(lambda match: bytes.fromhex(match[0].replace("\\", "")).decode(), kept)
    except UnicodeDecodeError as cause:
        raise NameMalformed("has escaped bytes that are not UTF-8") from cause
    value = _ESCAPED.sub(r"\1", decoded)
    if "\0" in value:
        raise NameMalformed("has a NUL character in it")
    return value


def _prepared(value: str) -> str:
    """As RFC 4518 prepares a value for caseIgnoreMatch: mapped, folded, and with one space where there are several."""
    mapped = "".join(_mapped(character) for character in unicodedata.normalize("NFKC", value).casefold())
    return _SPACES.sub(" ", unicodedata.normalize("NFKC", mapped)).strip(" ")


def _mapped(character: str) -> str:
    if character in "\t\n\v\f\r\x85" or unicodedata.category(character) in ("Zs", "Zl", "Zp"):
        return " "
    # A control character that is not white space is kept, so that a value with a NUL in it equals none without.
    return "" if character in "\u00ad\u034f\u1806\u200b\ufffc" or "\ufe00" <= character <= "\ufe0f" else character
