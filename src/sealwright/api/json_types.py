"""The JSON types that the shapes of the API share. Request bodies are closed: a member that is not listed is refused by name."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, overload

import msgspec

from sealwright.clock import Instant, from_datetime, to_rfc3339
from sealwright.errors import InvalidInput
from sealwright.identity import MAX_DESCRIPTION, MAX_DISPLAY_NAME, NAME_PATTERN

Moment = Annotated[str, msgspec.Meta(extra_json_schema={"format": "date-time"})]
"""RFC 3339, in UTC."""
Seconds = Annotated[int, msgspec.Meta(ge=0, le=366 * 86_400)]
Name = Annotated[str, msgspec.Meta(extra_json_schema={"pattern": f"^{NAME_PATTERN}$", "examples": ["alice"]})]
"""Of an account or a group. The directory judges it; here it is only described."""
DisplayName = Annotated[str, msgspec.Meta(extra_json_schema={"minLength": 1, "maxLength": MAX_DISPLAY_NAME})]
Description = Annotated[str, msgspec.Meta(extra_json_schema={"maxLength": MAX_DESCRIPTION})]
Secret = Annotated[str, msgspec.Meta(extra_json_schema={"format": "password"})]


class RequestBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The JSON object that a caller sends."""


class ResponseBody(msgspec.Struct, frozen=True, kw_only=True):
    """The JSON object that a caller gets."""


@overload
def moment(instant: Instant) -> str: ...
@overload
def moment(instant: None) -> None: ...
@overload
def moment(instant: Instant | None) -> str | None: ...
def moment(instant: Instant | None) -> str | None:
    """An instant as text, or None."""
    return None if instant is None else to_rfc3339(instant)


def instant_of(name: str, text: str, *, hint: str = "") -> Instant:
    """The instant in a text; raises InvalidInput. `name`: of the member or parameter that has it; `hint`: what else it may be."""
    try:
        found = datetime.fromisoformat(text)
        if found.tzinfo is not None:
            return from_datetime(found)
    except (ValueError, OverflowError):
        pass
    raise InvalidInput(
        f"{name} is {text[:40]!r}; it must be a time with its zone, such as 2026-11-22T10:20:00Z.", hint=hint, pointer=f"/{name}"
    )
