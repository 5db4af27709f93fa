"""Distinguished encoding rules (X.690), as much as certificates need: writing values, and a strict walk over read ones."""

from __future__ import annotations

BOOLEAN_TRUE = b"\x01\x01\xff"
NULL = b"\x05\x00"

BOOLEAN = 0x01
INTEGER = 0x02
BIT_STRING = 0x03
OCTET_STRING = 0x04
OBJECT_IDENTIFIER = 0x06
UTF8_STRING = 0x0C
PRINTABLE_STRING = 0x13
UTC_TIME = 0x17
GENERALIZED_TIME = 0x18
SEQUENCE = 0x30
SET = 0x31

_SHORT = 0x80
_LONGEST_LENGTH = 4
_LONG_TAG = 0x1F

Part = tuple[int, int, int, int]
"""One value within a buffer: its tag, where it begins, where its contents begin, and where they end."""


class DerError(ValueError):
    """The bytes are not the one encoding that DER allows."""


def wrap(tag: int, contents: bytes) -> bytes:
    """A value with its tag and length."""
    length = len(contents)
    if length < _SHORT:
        return bytes((tag, length)) + contents
    length_bytes = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((tag, _SHORT | len(length_bytes))) + length_bytes + contents


def header(tag: int, length: int) -> bytes:
    """Tag and length of a value whose contents are appended by the caller."""
    if length < _SHORT:
        return bytes((tag, length))
    length_bytes = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((tag, _SHORT | len(length_bytes))) + length_bytes


def sequence(*values: bytes) -> bytes:
    """SEQUENCE of encoded values."""
    return wrap(SEQUENCE, b"".join(values))


def integer(value: int) -> bytes:
    """INTEGER."""
    return wrap(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def oid(dotted: str) -> bytes:
    """OBJECT IDENTIFIER from its dotted form."""
    first, second, *rest = (int(number) for number in dotted.split("."))
    contents = bytearray()
    for number in (first * 40 + second, *rest):
        septets = [number & 0x7F]
        while number := number >> 7:
            septets.append(number & 0x7F | 0x80)
        contents += bytes(reversed(septets))
    return wrap(OBJECT_IDENTIFIER, bytes(contents))


def part(data: bytes, at: int, end: int) -> Part:
    """The value that begins at `at` and lies before `end`; anything but minimal DER raises DerError."""
    if end - at < 2:  # noqa: PLR2004 - a tag and a length
        raise DerError(f"a value is cut off at byte {at}")
    tag = data[at]
    if tag & _LONG_TAG == _LONG_TAG:
        raise DerError(f"a tag of more than one byte at byte {at}")
    length = data[at + 1]
    start = at + 2
    if length >= _SHORT:
        count = length & 0x7F
        start += count
        if not 1 <= count <= _LONGEST_LENGTH or start > end:
            raise DerError(f"a length that is indefinite, too long or cut off at byte {at}")
        length = int.from_bytes(data[at + 2 : start], "big")
        if length < _SHORT or length >> (8 * (count - 1)) == 0:
            raise DerError(f"a length that is not minimal at byte {at}")
    if start + length > end:
        raise DerError(f"a value that is longer than what holds it at byte {at}")
    return tag, at, start, start + length


def parts(data: bytes, start: int, end: int) -> list[Part]:
    """The values that lie one after the other from `start` to `end`, with nothing between or behind them."""
    found = []
    while start < end:
        # The usual case in line: one byte of tag, one of length. It is half of the time of reading a certificate.
        if start + 2 <= end and data[start + 1] < _SHORT and data[start] & _LONG_TAG != _LONG_TAG:
            inside = start + 2
            stop = inside + data[start + 1]
            if stop <= end:
                found.append((data[start], start, inside, stop))
                start = stop
                continue
        found.append(part(data, start, end))
        start = found[-1][3]
    return found


def whole(data: bytes, tag: int) -> Part:
    """The one value that fills `data`; another tag or anything behind it raises DerError."""
    found = part(data, 0, len(data))
    if found[0] != tag or found[3] != len(data):
        raise DerError(f"expected one value with tag {tag:#04x}")
    return found


def parts_of(data: bytes, tag: int = SEQUENCE) -> list[Part]:
    """The values inside the one constructed value that fills `data`."""
    _, _, start, end = whole(data, tag)
    return parts(data, start, end)
