"""Certificates as text (RFC 7468)."""

from __future__ import annotations

import binascii
from collections.abc import Iterable

_LINE = 64


def certificate_pem(der: bytes) -> str:
    """A certificate as a PEM block."""
    text = binascii.b2a_base64(der, newline=False).decode("ascii")
    lines = "\n".join([text[start : start + _LINE] for start in range(0, len(text), _LINE)])
    return f"-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n"


def certificates_pem(chain: Iterable[bytes]) -> str:
    """Several certificates, one after the other."""
    return "".join(certificate_pem(der) for der in chain)
