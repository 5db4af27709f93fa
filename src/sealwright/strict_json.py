"""One strict reading of JSON for request bodies, tokens and files: no member twice, no depth that a reader cannot follow."""

from __future__ import annotations

import json
from math import isinf
from typing import Any, NoReturn

import msgspec

_DEEPEST = 100
_TOO_LARGE = "holds a number with more digits than any value here has"
_TOO_DEEP = "is nested too deeply"


class JsonRefused(ValueError):
    """Why a text is not accepted as JSON, as the end of a sentence that begins with what the text is."""


def loads(text: str | bytes) -> Any:
    """The value that `text` stands for; what is not JSON, repeats a member or is nested too deeply raises JsonRefused.

    So does what cannot be written again: half a character, and numbers that fit into no 64 bits.
    """
    value = _read(text)
    _require_depth(value)
    try:
        msgspec.msgpack.encode(value)
    except UnicodeError as cause:
        raise JsonRefused("holds half a character (a lone surrogate)") from cause
    except OverflowError as cause:
        raise JsonRefused(_TOO_LARGE) from cause
    return value


def _read(text: str | bytes) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_members, parse_constant=_refuse_constant, parse_float=_float)
    except json.JSONDecodeError as cause:
        raise JsonRefused(f"is not JSON: {cause.msg} in line {cause.lineno}, column {cause.colno}") from cause
    except JsonRefused:
        raise
    except UnicodeError as cause:
        raise JsonRefused("is not UTF-8 text") from cause
    except RecursionError as cause:
        raise JsonRefused(_TOO_DEEP) from cause
    except ValueError as cause:
        raise JsonRefused(_TOO_LARGE) from cause


def require_unique_members(text: bytes) -> None:
    """Raise JsonRefused where an object in `text` holds a member twice: readers differ in which of the two counts.

    What a fast reader and writer give back byte by byte repeats nothing, for the second member would be missing. That spares
    the slow reading for everyone who writes JSON without spaces.
    """
    try:
        if msgspec.json.encode(msgspec.json.decode(text)) == text:
            return
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        pass  # the slow reading says in words what is wrong
    _read(text)


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise JsonRefused(f"gives the member {name[:64]!r} twice")
            seen.add(name)
    return members


def _require_depth(value: Any) -> None:
    """Far below what any reader can follow, so that what is accepted at one place can be read at another."""
    level = [value]
    for _ in range(_DEEPEST):
        level = [
            each for one in level for each in (one.values() if isinstance(one, dict) else one if isinstance(one, list) else ())
        ]
        if not level:
            return
    raise JsonRefused(_TOO_DEEP)


def _float(text: str) -> float:
    number = float(text)
    if isinf(number):
        raise JsonRefused(_TOO_LARGE)
    return number


def _refuse_constant(text: str) -> NoReturn:
    raise JsonRefused(f"holds {text}, which is not a JSON number")
