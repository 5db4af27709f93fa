"""An issuer that clients share."""

from __future__ import annotations

from msgspec import Struct

ROOT_ID = "root"
"""The id of the one issuer whose URL is the server's own; so there is never a second one."""


class SharedIssuer(Struct, frozen=True):
    """An issuer that an administrator created, for any number of clients."""

    id: str
    name: str

    @property
    def is_root(self) -> bool:
        """True where its URL is the server's own, without a path."""
        return self.id == ROOT_ID
