"""The id of the request that is being answered, for what is recorded on its behalf."""

from __future__ import annotations

from contextvars import ContextVar

CURRENT_REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")
"""Empty where no request is being answered. Tasks that a request begins have its id too."""
CURRENT_ADDRESS: ContextVar[str] = ContextVar("address", default="127.0.0.1")
"""IP address of the peer of the request."""
