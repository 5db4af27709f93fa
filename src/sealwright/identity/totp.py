"""Time-based one-time passwords (RFC 6238): SHA-1, six digits, thirty seconds, as every authenticator app knows them."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Iterator
from urllib.parse import quote, urlencode

from cryptography.hazmat.primitives.hashes import SHA1  # noqa: TID251 - the one file of identity that may
from cryptography.hazmat.primitives.twofactor.hotp import HOTP  # noqa: TID251 - the one file of identity that may

from sealwright.clock import Instant, to_seconds
from sealwright.entropy import Entropy

DIGITS = 6
PERIOD = 30
SECRET_LENGTH = 20
WINDOW = 1
"""Steps before and after the present one whose codes are accepted, for clocks that differ."""


def new_secret(entropy: Entropy) -> bytes:
    """160 random bits (RFC 4226, section 4)."""
    return entropy.bytes(SECRET_LENGTH)


def secret_text(secret: bytes) -> str:
    """Base32 without padding, for typing into an app."""
    return base64.b32encode(secret).rstrip(b"=").decode()


def uri(secret: bytes, *, issuer: str, account: str) -> str:
    """``otpauth://`` address that apps read from a QR code."""
    label = f"{quote(issuer, safe='')}:{quote(account, safe='@')}"
    parameters = {
        "secret": secret_text(secret),
        "issuer": issuer,
        "algorithm": "SHA1",
        "digits": DIGITS,
        "period": PERIOD,
    }
    return f"otpauth://totp/{label}?{urlencode(parameters, quote_via=quote)}"


def code_at(secret: bytes, step: int) -> str:
    """The code of one time step."""
    return HOTP(secret, DIGITS, SHA1()).generate(step).decode()  # noqa: S303 - RFC 6238 by default, as apps expect


def step_at(now: Instant) -> int:
    """The number of the time step that `now` is in."""
    return to_seconds(now) // PERIOD


def digits_of(code: str) -> str:
    """The six digits of a code as people type it, with or without blanks; empty where it is not a code."""
    digits = "".join(code.split())
    return digits if len(digits) == DIGITS and digits.isascii() and digits.isdigit() else ""


def matching_step(secret: bytes, code: str, now: Instant, last_step: int | None) -> int | None:
    """The time step whose code this is, among those of the window that come after `last_step`."""
    digits = digits_of(code)
    if not digits:
        return None
    found = [step for step in _window(now) if hmac.compare_digest(code_at(secret, step), digits)]
    unused = [step for step in found if last_step is None or step > last_step]
    return max(unused, default=None)


def _window(now: Instant) -> Iterator[int]:
    present = step_at(now)
    yield from range(max(0, present - WINDOW), present + WINDOW + 1)
