"""Authorization requests that wait for a person: each is held by its own handle, so that asking stores nothing.

Client and redirect URI are public, so anyone can send requests that wait. Only that one was decided is stored. A handle is in
addresses and so in histories and logs; it is worth no more than the request that the application itself put into an address: who
finds one can only sign in as themselves, and what comes of it goes to the application.
"""

from __future__ import annotations

import hashlib

import msgspec
from msgspec import Struct

from sealwright.clock import Instant, after
from sealwright.db import Transaction
from sealwright.keys import SealedHandles, Sealer
from sealwright.oauth import redirects, store
from sealwright.oauth.dependencies import OAuthDependencies
from sealwright.oauth.errors import AuthorizationRefused, RequestGone
from sealwright.oauth.models import AuthorizationRequest, Client, PendingRequest
from sealwright.oauth.pushed.requests import PushedRequests

LARGEST_REQUEST = 4_800
"""Bytes of a request that can wait: its handle stays below the 8 kB that usual proxies allow for an address."""

_encode = msgspec.msgpack.Encoder().encode


class _SealedRequest(Struct, frozen=True, array_like=True):
    """What a handle holds."""

    created_at: Instant
    expires_at: Instant
    request: AuthorizationRequest


_read = msgspec.msgpack.Decoder(_SealedRequest).decode


class PendingRequests:
    """Makes handles, opens them, and stores which were decided."""

    def __init__(self, dependencies: OAuthDependencies, sealer: Sealer, pushed: PushedRequests) -> None:
        self._pushed = pushed
        self._db = dependencies.db
        self._clock = dependencies.clock
        self._lasts = dependencies.lifetimes.request
        self._handles = SealedHandles(sealer, dependencies.clock, dependencies.entropy, purpose="authorization request")

    def begin(self, client: Client, request: AuthorizationRequest) -> PendingRequest:
        """The request as it begins to wait; raises AuthorizationRefused where it is too long to."""
        length = len(_encode(request))
        if length > LARGEST_REQUEST:
            raise AuthorizationRefused(
                "invalid_request",
                f"The request holds {length} bytes, and at most {LARGEST_REQUEST} can be kept. Shorten state, nonce or scope.",
            )
        now = self._clock.now()
        return PendingRequest(client, request, now, after(now, self._lasts))

    def handle_of(self, pending: PendingRequest) -> str:
        """A handle that brings the request back."""
        return self._handles.seal(_encode(_SealedRequest(pending.created_at, pending.expires_at, pending.request)))

    async def find(self, handle: str) -> PendingRequest:
        """The request that a handle holds; raises RequestGone where it waits no more, or this is not a handle of ours."""
        content = self._handles.open(handle)
        sealed = None if content is None else _sealed_request(content)
        if sealed is None or sealed.expires_at <= self._clock.now():
            raise request_gone()
        client = await store.client_of_request(self._db, _digest(handle), sealed.request.client_id)
        # the address to which the response would go may have been taken away meanwhile
        proven = sealed.request.device is not None or (client and redirects.is_allowed(client, sealed.request.redirect_uri))
        if client is None or not proven:
            raise request_gone()
        return PendingRequest(client, sealed.request, sealed.created_at, sealed.expires_at)

    async def replace(self, tx: Transaction, handle: str, pending: PendingRequest) -> bool:
        """Use a handle up whose request goes on under another one; true only for the first to do so."""
        return await store.answer_request(tx, _digest(handle), pending.expires_at)

    async def answer(self, tx: Transaction, handle: str, pending: PendingRequest) -> bool:
        """Use the request up, with its handle and as it was pushed, where it has these; true only for the first to do so."""
        pushed = pending.request.pushed
        if pushed is not None and not await self._pushed.use_up(tx, pushed):
            return False
        return not handle or await store.answer_request(tx, _digest(handle), pending.expires_at)


def request_gone() -> RequestGone:
    """The refusal where no such request waits."""
    return RequestGone(
        "This request is no longer open.",
        reasons=("it was answered already, or it waited too long",),
        hint="Go back to the application and sign in again from there.",
    )


def _sealed_request(content: bytes) -> _SealedRequest | None:
    try:
        return _read(content)
    except msgspec.MsgspecError:  # sealed by another version of this program
        return None


def _digest(handle: str) -> bytes:
    return hashlib.sha256(handle.encode()).digest()
