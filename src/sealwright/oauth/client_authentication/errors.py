"""Why a client is not proven."""

from __future__ import annotations

from sealwright.errors import Refused


class NotProven(Refused):
    """Why a request does not prove its client: for the record, and not for the one who asks."""

    code = "client_not_proven"
