"""What a change changed: each field with its old and its new value, and secrets never with either."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from datetime import timedelta
from enum import Enum
from typing import Any

import msgspec

REDACTED = "[redacted]"
SECRET_WORDS = ("secret", "password", "passphrase", "token", "assertion", "private_key", "handle")
"""A field whose name ends with one of these is redacted, whatever its type is."""
_LONGEST_TEXT = 2_000
_BEFORE = "_before"


class Redacted:
    """A value that is secret by its type: it is recorded as `[redacted]`."""

    __slots__ = ("_value",)

    def __init__(self, value: object) -> None:
        self._value = value

    def __repr__(self) -> str:
        return REDACTED

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Redacted) and self._value == other._value

    __hash__ = None  # type: ignore[assignment] # a secret is not a key of a dictionary


def redacted(value: object) -> str:
    """What is written in the place of a `Redacted` value; any other that JSON does not know is a mistake."""
    if isinstance(value, Redacted):
        return REDACTED
    raise TypeError(f"the details of an event cannot hold a {type(value).__name__}")


def changes_between(before: object, after: object, *, without: AbstractSet[str] = frozenset()) -> dict[str, dict[str, Any]]:
    """`{field: {"old": …, "new": …}}` of the fields that differ between two Structs, dataclasses or mappings of the same shape.

    Bytes, `Redacted` values and fields that a dataclass leaves out of its repr are secret by type, others by their name: of those
    only the fact that they differ is recorded. `without` are fields that no one asks for, such as the time of the last change.
    """
    old, new = _fields(before), _fields(after)
    told = {}
    for name in [*old, *(name for name in new if name not in old)]:
        if name in without or old.get(name) == new.get(name):
            continue
        told[name] = {"old": _told(name, old.get(name)), "new": _told(name, new.get(name))}
    return told


def changes_in(details: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The changes that the details of an event tell of: those under `changes`, and each `x` that has an `x_before` beside it."""
    told = {
        name.removesuffix(_BEFORE): {"old": value, "new": details[name.removesuffix(_BEFORE)]}
        for name, value in details.items()
        if name.endswith(_BEFORE) and name.removesuffix(_BEFORE) in details
    }
    recorded = details.get("changes")
    return told | recorded if isinstance(recorded, dict) else told


def is_secret_name(name: str) -> bool:
    """Whether a field of this name holds a secret."""
    return name.lower().replace("-", "_").endswith(SECRET_WORDS)


def _fields(value: object) -> Mapping[str, Any]:
    if isinstance(value, msgspec.Struct):
        return msgspec.structs.asdict(value)
    if dataclasses.is_dataclass(value):
        return {
            each.name: getattr(value, each.name) if each.repr else _hidden(getattr(value, each.name))
            for each in dataclasses.fields(value)
        }
    if isinstance(value, Mapping):
        return value
    raise TypeError(f"a {type(value).__name__} has no fields to compare")


def _hidden(value: object) -> object:
    """Compares as the value does, and is recorded as a secret."""
    return None if value is None else Redacted(value)


def _told(name: str, value: Any) -> Any:
    """A value as it is recorded; of a secret only whether there is one."""
    if value is None or isinstance(value, bool):
        return value
    if is_secret_name(name) or isinstance(value, (Redacted, bytes, bytearray, memoryview)):
        return REDACTED
    if isinstance(value, msgspec.Struct) or dataclasses.is_dataclass(value) or isinstance(value, Mapping):
        return {str(each): _told(str(each), inner) for each, inner in _fields(value).items()}
    if isinstance(value, (list, tuple)):
        return [_told(name, inner) for inner in value]
    if isinstance(value, (set, frozenset)):
        return sorted((_told(name, inner) for inner in value), key=str)
    return _plain(value)


def _plain(value: object) -> str | int | float:
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, (int, float)):
        return value
    text = str(value.value if isinstance(value, Enum) else value)
    return text if len(text) <= _LONGEST_TEXT else text[:_LONGEST_TEXT] + "…"
