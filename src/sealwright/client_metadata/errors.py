"""What is refused in a client's metadata."""

from __future__ import annotations

from sealwright.errors import InvalidInput


class ClientRefused(InvalidInput):
    """A value in a client's registration is not allowed."""

    code = "client_refused"
