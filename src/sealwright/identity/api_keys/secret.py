"""The form of an API key: a prefix that scanners find, 256 random bits, and a checksum that tells a key from a mistyped one."""

from __future__ import annotations

import re
import string
import zlib

from sealwright.entropy import Entropy

API_KEY_PREFIX = "sealwright_key_"
API_KEY_PATTERN = rf"{API_KEY_PREFIX}[0-9A-Za-z]{{49}}"
"""What a scanner of repositories looks for."""
SHOWN = len(API_KEY_PREFIX) + 6
_DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_RANDOM_BYTES, _RANDOM_LENGTH, _CHECKSUM_LENGTH = 32, 43, 6
_FORM = re.compile(API_KEY_PATTERN)


def new_api_key(entropy: Entropy) -> str:
    """A key that no one has yet."""
    random = _in_base_62(int.from_bytes(entropy.bytes(_RANDOM_BYTES)), _RANDOM_LENGTH)
    return f"{API_KEY_PREFIX}{random}{_checksum(random)}"


def is_api_key(text: str) -> bool:
    """Whether this has the form of a key and its checksum is right; costs no query."""
    return (
        _FORM.fullmatch(text) is not None and _checksum(text[len(API_KEY_PREFIX) : -_CHECKSUM_LENGTH]) == text[-_CHECKSUM_LENGTH:]
    )


def _checksum(random: str) -> str:
    return _in_base_62(zlib.crc32(random.encode()), _CHECKSUM_LENGTH)


def _in_base_62(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, digit = divmod(number, len(_DIGITS))
        digits.append(_DIGITS[digit])
    return "".join(reversed(digits))
