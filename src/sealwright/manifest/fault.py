"""What is wrong in a manifest, and where."""

from __future__ import annotations

from typing import NamedTuple


class Fault(NamedTuple):
    """One thing that is wrong."""

    pointer: str
    """Where (RFC 6901)."""
    detail: str
    hint: str = ""


def pointer_to(*members: str) -> str:
    """The JSON Pointer to a member of a member (RFC 6901)."""
    return "".join(f"/{each.replace('~', '~0').replace('/', '~1')}" for each in members)
