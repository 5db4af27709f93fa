"""Access tokens that only this server can read: what a JWT would say, sealed. Nothing is stored for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from sealwright.jose import TokenMalformed
from sealwright.keys import SealedHandles, Sealer
from sealwright.oauth.dependencies import OAuthDependencies

PREFIX = "opaque."
"""No refresh token has a dot, and no JWT begins so."""
_read = msgspec.json.Decoder(dict[str, Any]).decode


class OpaqueTokens:
    """Seals and opens opaque access tokens, with the same key on every node."""

    def __init__(self, dependencies: OAuthDependencies, sealer: Sealer) -> None:
        self._handles = SealedHandles(sealer, dependencies.clock, dependencies.entropy, purpose="access token")

    def seal(self, claims: Mapping[str, Any]) -> str:
        """A token that stands for these claims."""
        return PREFIX + self._handles.seal(msgspec.json.encode(claims))

    def open(self, text: str) -> dict[str, Any]:
        """The claims of a token; raises TokenMalformed where it was not made here."""
        content = self._handles.open(text.removeprefix(PREFIX))
        if content is None:
            raise TokenMalformed("The access token was not made here.")
        return _read(content)
