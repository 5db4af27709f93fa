"""What comes in and goes out on the step wire. Unknown members are ignored, `""`, `null` and a missing key are alike."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from sealwright.clock import Instant, from_datetime
from sealwright.errors import InvalidInput, Refused
from sealwright.go_duration import is_duration, parse_duration
from sealwright.pem import certificate_pem

WIRE_VERSION = "0.30.2"
"""The version of step-ca whose wire this is; clients decide by it what they may ask for."""

TLS_OPTIONS = {
    "cipherSuites": ["TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"],
    "minVersion": 1.2,
    "maxVersion": 1.3,
    "renegotiation": False,
}

MOST_SERIAL_BITS = 160
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)")
_SERIAL = re.compile(r"[0-9]{1,49}|0[xX][0-9a-fA-F]{1,40}|0[oO][0-7]{1,54}|0[bB][01]{1,160}")


class SignRequest(msgspec.Struct):
    """`POST /sign`."""

    csr: str | None = None
    ott: str | None = None
    not_before: str | None = msgspec.field(name="notBefore", default=None)
    not_after: str | None = msgspec.field(name="notAfter", default=None)


class RekeyRequest(msgspec.Struct):
    """`POST /rekey`."""

    csr: str | None = None


class RevokeRequest(msgspec.Struct):
    """`POST /revoke`."""

    serial: str | None = None
    ott: str | None = None
    reason_code: int | None = msgspec.field(name="reasonCode", default=None)
    reason: str | None = None
    passive: bool | None = None


def time_or_duration(text: str | None, member: str) -> Instant | timedelta | None:
    """An RFC 3339 time, or a Go duration such as ``5m``, ``1h30m`` or ``-1m``; nothing where nothing was said."""
    if not text:
        return None
    if _RFC3339.fullmatch(text):
        try:
            return from_datetime(datetime.fromisoformat(text.upper()).astimezone(UTC))
        except (ValueError, OverflowError) as cause:
            raise InvalidInput(f"{member} is {text[:40]!r}, which is not a date that exists.") from cause
    try:
        return parse_duration(text)
    except InvalidInput as cause:
        if is_duration(text):
            raise InvalidInput(f"{member}: {cause.detail}") from cause
        raise InvalidInput(
            f"{member} is {text[:40]!r}; it must be a time such as 2026-11-22T10:20:00Z or a duration such as 8h."
        ) from cause


def serial_number(text: str | None) -> bytes:
    """A serial number as 20 bytes, from decimal text or with a prefix ``0x``, ``0o`` or ``0b``."""
    if not text or not _SERIAL.fullmatch(text):
        raise InvalidInput(f"serial is {(text or '')[:60]!r}; it must be a decimal number, or hexadecimal after 0x.")
    number = int(text, 10 if text.isdigit() else 0)
    if number.bit_length() > MOST_SERIAL_BITS:
        raise InvalidInput("serial is greater than any serial number can be.")
    return number.to_bytes(20, "big")


def signed(der: bytes, chain: tuple[str, ...]) -> dict[str, Any]:
    """The answer of sign, renew and rekey; `chain` holds the PEM of the issuer and those above it, without the root."""
    leaf = certificate_pem(der)
    return {"crt": leaf, "ca": chain[0], "certChain": [leaf, *chain], "tlsOptions": TLS_OPTIONS}


def reason_code(value: int | None) -> int:
    """A revocation reason of RFC 5280, section 5.3.1; 7 is not assigned."""
    code = value or 0
    if code not in (0, 1, 2, 3, 4, 5, 6, 8, 9, 10):
        raise InvalidInput(f"reasonCode is {code}; it must be a number from 0 to 10 other than 7.")
    return code


class NotOffered(Refused):
    """Something that the wire knows and this server does not do."""

    code = "not_offered"
