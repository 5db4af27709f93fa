"""Why a client is not proven."""

from __future__ import annotations

from sealwright.errors import Refused


class NotProven(Refused):
    """Why a request does not prove its client: for the record, and not for the one who asks."""

    code = "client_not_proven"

    def __init__(self, kind: str, detail: str = "") -> None:
        """`kind`: a text without anything that the one who asks can choose; refusals are counted by it. `detail`: the reason."""
        super().__init__(detail or kind)
        self.kind = kind
