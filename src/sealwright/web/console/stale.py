"""A form that someone else overtook: what it was made from, and what stands there now."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from msgspec import Struct


class OvertakenForm(Struct, frozen=True):
    """What someone else changed while a form was open."""

    changes: tuple[tuple[str, str, str], ...]
    """Label, as it is now, as it was typed: where the two differ."""


def seen_of(values: Mapping[str, str]) -> str:
    """What a form carries along of the values that it was made from; other values have another one."""
    shown = "\0".join(f"{name}\0{value}" for name, value in sorted(values.items()))
    return hashlib.sha256(shown.encode()).hexdigest()[:32]


def stale_form(
    seen: str, current: Mapping[str, str], typed: Mapping[str, str], labels: Mapping[str, str]
) -> OvertakenForm | None:
    """What to show where `current` is not what the form was made from; None where it is."""
    if seen == seen_of(current):
        return None
    different = (name for name in labels if current.get(name, "") != typed.get(name, ""))
    return OvertakenForm(tuple((labels[name], current.get(name, ""), typed.get(name, "")) for name in different))
