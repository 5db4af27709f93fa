"""How certificates are found by a name: exactly, or by its end.

A name is kept folded and with its characters in reverse, so that everything below a domain is one range of an index.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from sealwright.ca.errors import CertificateNameRefused
from sealwright.ca.models import Name
from sealwright.ca.names import LONGEST_URI, parse
from sealwright.confusables import shown
from sealwright.errors import InvalidInput

ENDS = (".", "@")
"""What a search begins with that asks for the end of a name: .example.org or @example.org."""
_BEYOND_ALL_TEXT = b"\xff"  # no byte of UTF-8 is as great


class NameRange(Struct, frozen=True):
    """From `first` up to, and without, `end`."""

    first: bytes
    end: bytes


def search_keys(subject_name: str, names: Iterable[Name]) -> set[bytes]:
    """Under which keys a certificate is found: those of its names and of its common name."""
    keys = {_key(name.value) for name in names}
    if subject_name:
        keys.add(_key(subject_name))
    return keys


def range_for(text: str) -> NameRange:
    """The keys that a search finds; a text that no certificate can hold raises InvalidInput."""
    wanted = text.strip()
    if not wanted or wanted in ENDS or len(wanted) > LONGEST_URI:
        raise InvalidInput(
            f"name is {shown(wanted)}, which no certificate can hold.",
            hint="Write a whole name such as web.example.org, or the end of one: .example.org or @example.org.",
        )
    if wanted.startswith(ENDS):
        first = _key(wanted)
        return NameRange(first, first + _BEYOND_ALL_TEXT)
    try:
        first = _key(parse(wanted).value)
    except CertificateNameRefused:
        first = _key(wanted)  # a common name may be any text
    return NameRange(first, first + b"\0")


def _key(text: str) -> bytes:
    return text.casefold()[::-1].encode()
