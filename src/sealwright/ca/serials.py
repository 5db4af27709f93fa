"""Serial numbers as text: one form that is shown everywhere, and every form that people have them in."""

from __future__ import annotations

import re

from sealwright.errors import InvalidInput

SERIAL_BYTES = 20
_HEX = re.compile(r"0[xX][0-9a-fA-F]{1,40}|[0-9a-fA-F]{40}")
_DECIMAL = re.compile(r"[0-9]{1,49}")


def serial_text(serial: bytes) -> str:
    """A serial number as it is shown everywhere: 40 hexadecimal digits."""
    return serial.hex()


def decimal_text(serial: bytes) -> str:
    """A serial number as `step` writes it."""
    return str(int.from_bytes(serial, "big"))


def serial_in(text: str) -> bytes:
    """A serial number as people pass it: 40 hexadecimal digits, with or without colons, any of them behind 0x, or decimal."""
    plain = text.replace(":", "")
    if _HEX.fullmatch(plain):
        return int(plain, 16).to_bytes(SERIAL_BYTES, "big")
    if _DECIMAL.fullmatch(text) and int(text) < 1 << (8 * SERIAL_BYTES):
        return int(text).to_bytes(SERIAL_BYTES, "big")
    raise InvalidInput(
        f"{text[:60]!r} is not a serial number of this authority.",
        hint="It has 40 hexadecimal digits, with or without 0x before them, or up to 49 decimal ones.",
    )
