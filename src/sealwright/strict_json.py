"""One strict reading of JSON for request bodies, tokens and files: no member twice, no depth that a reader cannot follow."""

from __future__ import annotations

import json
from typing import Any, NoReturn

import msgspec


class JsonRefused(ValueError):
    """Why a text is not accepted as JSON, as the end of a sentence that begins with what the text is."""


def loads(text: str | bytes) -> Any:
    """The value that `text` stands for; what is not JSON, repeats a member or is nested too deeply raises JsonRefused."""
    try:
        return json.loads(text, object_pairs_hook=_members, parse_constant=_refuse_constant)
    except json.JSONDecodeError as cause:
        raise JsonRefused(f"is not JSON: {cause.msg} in line {cause.lineno}, column {cause.colno}") from cause
    except JsonRefused:
        raise
    except UnicodeError as cause:
        raise JsonRefused("is not UTF-8 text") from cause
    except RecursionError as cause:
        raise JsonRefused("is nested too deeply") from cause
    except ValueError as cause:
        raise JsonRefused("holds a number with more digits than any value here has") from cause


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
    loads(text)


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise JsonRefused(f"gives the member {name[:64]!r} twice")
            seen.add(name)
    return members


def _refuse_constant(text: str) -> NoReturn:
    raise JsonRefused(f"holds {text}, which is no JSON number")
