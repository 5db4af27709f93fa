"""Pushed authorization requests (RFC 9126): the client sends the request itself, and the browser brings only a handle of it.

A request may be opened again until it is decided, because people reload pages; it is used up, once and for all nodes, by the
decision.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
from msgspec import Struct

from sealwright.clock import after
from sealwright.db import Transaction
from sealwright.entropy import token
from sealwright.oauth.dependencies import OAuthDependencies
from sealwright.oauth.digests import digest_of
from sealwright.oauth.errors import AuthorizationRefused
from sealwright.oauth.models import Client
from sealwright.oauth.parameters import REQUEST_PARAMETERS, Parameters
from sealwright.oauth.pushed import store

REQUEST_URI = "urn:ietf:params:oauth:request_uri:"
LASTS = timedelta(seconds=60)
"""From being pushed to being opened; the person then has as long as with any request."""
LARGEST_PUSHED = 16_384
"""Bytes of a request as it is kept: a hint with all claims of a person has room in it."""


class PushedRequest(Struct, frozen=True):
    """A request as it is kept."""

    values: dict[str, str]
    resources: tuple[str, ...] = ()
    is_signed: bool = False
    """Whether it came as a request object."""

    @property
    def parameters(self) -> Parameters:
        """Its parameters, as those of an address."""
        return Parameters(self.values, frozenset(), self.resources)


_read = msgspec.json.Decoder(PushedRequest).decode


class PushedRequests:
    """Pushed requests, stored by the digest of their `request_uri`."""

    def __init__(self, dependencies: OAuthDependencies) -> None:
        self._db = dependencies.db
        self._clock = dependencies.clock
        self._entropy = dependencies.entropy

    async def push(self, client: Client, parameters: Parameters, *, is_signed: bool) -> str:
        """Keep what counts of a request; returns its `request_uri`. Raises AuthorizationRefused where it is too long."""
        request_uri = REQUEST_URI + token(self._entropy)
        values = {name: value for name, value in parameters.values.items() if name in REQUEST_PARAMETERS}
        kept = msgspec.json.encode(PushedRequest(values, parameters.resources, is_signed)).decode()
        if len(kept) > LARGEST_PUSHED:
            longest = max(values, key=lambda name: len(values[name]))
            detail = f"The request holds {len(kept)} bytes, and at most {LARGEST_PUSHED} are kept. Shorten {longest}."
            raise AuthorizationRefused("invalid_request", detail)
        expires_at = after(self._clock.now(), LASTS)

        async def body(tx: Transaction) -> None:
            await store.insert_request(tx, digest_of(request_uri), client.id, kept, expires_at)

        await self._db.write(body)
        return request_uri

    async def find(self, client: Client, request_uri: str) -> PushedRequest | None:
        """The request that this client pushed; None where there is none, or it is used up or too old."""
        kept = await store.find(self._db, digest_of(request_uri), client.id, self._clock.now())
        return None if kept is None else _read(kept)

    async def use_up(self, tx: Transaction, digest: bytes) -> bool:
        """Consume a request; true only for the first decision."""
        return await store.consume(tx, digest, self._clock.now())


def pushed_response(request_uri: str) -> dict[str, Any]:
    """The response to the client (RFC 9126, section 2.2)."""
    return {"request_uri": request_uri, "expires_in": int(LASTS.total_seconds())}
