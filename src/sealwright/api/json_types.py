"""The JSON types that the shapes of the API share. Request bodies are closed: a member that is not listed is refused by name."""

from __future__ import annotations

from typing import Annotated, overload

import msgspec

from sealwright.clock import Instant, to_rfc3339

Moment = Annotated[str, msgspec.Meta(extra_json_schema={"format": "date-time"})]
"""RFC 3339, in UTC."""
Seconds = Annotated[int, msgspec.Meta(ge=0, le=366 * 86_400)]
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
