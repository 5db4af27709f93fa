"""JSON bodies checked against a type; what does not fit is told by the member that is wrong."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from sealwright import strict_json
from sealwright.errors import InvalidInput
from sealwright.strict_json import JsonRefused

T = TypeVar("T")

_SHOWN = 64

_ABOUT_A_MEMBER = (
    ("Object contains unknown field `", "is not known here"),
    ("Object missing required field `", "is missing"),
)

_TYPES = {
    "str": "a text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
}


def decode_json(text: bytes, shape: type[T], whole: str = "The JSON body") -> T:
    """JSON as a msgspec type. What does not fit, repeats a member or is nested too deeply raises InvalidInput."""
    try:
        value = msgspec.json.decode(text, type=shape)
        strict_json.require_unique_members(text)
    except msgspec.MsgspecError as cause:
        raise InvalidInput(misfit(cause, whole)) from cause
    except UnicodeDecodeError as cause:
        raise InvalidInput(f"{whole} is not UTF-8 text.") from cause
    except RecursionError as cause:
        raise InvalidInput(f"{whole} is nested too deeply.") from cause
    except JsonRefused as cause:
        raise InvalidInput(f"{whole} {cause}.") from cause
    return value


def misfit(cause: msgspec.MsgspecError, whole: str = "The JSON body") -> str:
    """Why JSON does not fit its type, as a sentence that names the member; `whole` is what to call all of it."""
    told = str(cause)
    if not isinstance(cause, msgspec.ValidationError):
        words = told.removeprefix("JSON is malformed: ").replace("Input data was truncated", "it ends too early")
        return f"{whole} is not JSON: {words}."
    told, place = _told_and_place(told)
    for before, wrong in _ABOUT_A_MEMBER:
        if told.startswith(before):
            name = told.removeprefix(before).removesuffix("`")
            return f"The member {place}{'.' if place else ''}{name[:_SHOWN]} {wrong}."
    subject = f"The member {place}" if place else whole
    found = _expected(told)
    if found is None:  # a value that is none of those there are
        return f"{subject} has the wrong value: {told[:1].lower()}{told[1:]}."
    wanted, bounds, given = found
    return f"{subject} must be {_type_in_words(wanted)}{bounds}{f', not {_type_in_words(given)}' if given else ''}."


def _told_and_place(told: str) -> tuple[str, str]:
    """What msgspec says without the place, and the place as members divided by dots. Cut by hand: a name in it may be long."""
    before, found, place = told.rpartition(" - at `")
    place = place.removeprefix("key in ")
    if not found or not place.startswith("$") or not place.endswith("`"):
        return told, ""
    return before, place[1:-1].removeprefix(".").replace("[...]", "")


def _expected(told: str) -> tuple[str, str, str] | None:
    """The type that is needed, its bounds, and the type that was given, of "Expected `str` of length >= 2, got `int`"."""
    if not told.startswith("Expected `"):
        return None
    wanted, _, rest = told.removeprefix("Expected `").partition("`")
    bounds, got, given = rest.partition(", got `")
    return (wanted, bounds, given.removesuffix("`")) if got else (wanted, rest, "")


def _type_in_words(kinds: str) -> str:
    return " or ".join(_TYPES.get(kind, kind) for kind in kinds.split(" | "))
