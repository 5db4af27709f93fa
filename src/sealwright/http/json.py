"""JSON bodies checked against a type; a refusal names the member that is wrong."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from sealwright import strict_json
from sealwright.errors import InvalidInput
from sealwright.misfit import misfit
from sealwright.strict_json import JsonRefused

T = TypeVar("T")


def decode_json(text: bytes, shape: type[T], whole: str = "The JSON body") -> T:
    """JSON as a msgspec type. What does not fit, repeats a member or is nested too deeply raises InvalidInput."""
    try:
        value = msgspec.json.decode(text, type=shape)
        strict_json.require_unique_members(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as cause:
        raise _refusal(text, shape, whole) from cause
    except JsonRefused as cause:
        raise InvalidInput(f"{whole} {cause}.") from cause
    return value


def _refusal(text: bytes, shape: type[T], whole: str) -> InvalidInput:
    try:
        value = strict_json.loads(text)
    except JsonRefused as cause:
        return InvalidInput(f"{whole} {cause}.")
    found = misfit(value, shape)
    return InvalidInput(found.sentence(whole), pointer=found.pointer)
