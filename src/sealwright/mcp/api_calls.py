"""How tools call the management API, wherever they run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class ApiCallFailed(Exception):
    """The API refused a call, or could not be reached. The text is for the person behind the assistant."""


class ApiCall(Protocol):
    """Calls ``/api/v1/<path…>`` as the one who uses the tools."""

    async def __call__(self, method: str, *path: str, body: Any = None, query: Mapping[str, str] | None = None) -> Any:
        """The JSON value of the response, None where it has none; raises ApiCallFailed."""
        ...
