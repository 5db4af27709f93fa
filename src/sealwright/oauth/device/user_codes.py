"""Codes that a person reads on a device and types elsewhere (RFC 8628, section 6.1). Pure."""

from __future__ import annotations

from sealwright.entropy import Entropy

ALPHABET = "BCDFGHJKLMNPQRSTVWXZ"
"""Consonants alone: none looks like a digit or like another one, and they make no words. 20^8 is 34 bits."""
LENGTH = 8
_FAIR = 256 - 256 % len(ALPHABET)
"""Bytes from here on are skipped, so that every letter is equally likely."""


def new_user_code(entropy: Entropy) -> str:
    """A code without its hyphen."""
    letters = ""
    while len(letters) < LENGTH:
        letters += "".join(ALPHABET[byte % len(ALPHABET)] for byte in entropy.bytes(2 * LENGTH) if byte < _FAIR)
    return letters[:LENGTH]


def shown(code: str) -> str:
    """As it is read: ``WDJB-MJHT``."""
    return f"{code[: LENGTH // 2]}-{code[LENGTH // 2 :]}"


def read_user_code(typed: str) -> str | None:
    """The code that someone typed, in capital letters or not, with hyphens and blanks anywhere; None where it can be none."""
    letters = "".join(each for each in typed[:64].upper() if each.isalnum())
    return letters if len(letters) == LENGTH and set(letters) <= set(ALPHABET) else None
