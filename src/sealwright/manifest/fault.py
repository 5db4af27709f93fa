"""What is wrong in a manifest, and where."""

from __future__ import annotations

from typing import NamedTuple


class Fault(NamedTuple):
    """One thing that is wrong."""

    pointer: str
    """Where (RFC 6901)."""
    detail: str
    hint: str = ""
