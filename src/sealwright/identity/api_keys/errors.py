"""Refusals about API keys."""

from __future__ import annotations

from sealwright.errors import Conflict, InvalidInput, NotFound


class ApiKeyNotFound(NotFound):
    """There is no such API key, or it has ended."""

    code = "api_key_not_found"


class ApiKeyRefused(InvalidInput):
    """The scope, the end or the overlap of an API key cannot be as given."""

    code = "api_key_refused"


class ApiKeyReplaced(Conflict):
    """The API key was rotated already: its successor is the one to rotate or narrow."""

    code = "api_key_replaced"
