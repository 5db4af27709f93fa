"""Error texts in the characters that the standards allow."""

from __future__ import annotations

import re

_NOT_ALLOWED = re.compile(r"[^\x20-\x21\x23-\x5b\x5d-\x7e]")
_LONGEST = 500


def error_text(text: str) -> str:
    """`text` in the characters of `error_description` (RFC 6749, section 4.1.2.1): quotes turn, others become '?'."""
    return _NOT_ALLOWED.sub("?", text.replace('"', "'").replace("\n", " "))[:_LONGEST]
