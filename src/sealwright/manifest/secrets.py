"""Secrets of a manifest: where each is to be read, and never the secret itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

SECRETS: Mapping[str, tuple[str, ...]] = {"clients": ("secret",), "provisioners": ("clientSecret",)}
"""Kind → its members that are secrets. A manifest names a file or an environment variable in their place."""


class SecretReference(NamedTuple):
    """Where a secret is read by anyone who applies the manifest."""

    place: Literal["env", "file"]
    name: str


def reference_of(value: Any) -> SecretReference | None:
    """The reference that a member holds; None where it is none."""
    if isinstance(value, dict) and len(value) == 1:
        ((place, name),) = value.items()
        if place in ("env", "file") and isinstance(name, str) and name:
            return SecretReference(place, name)
    return None
