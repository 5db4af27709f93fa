"""The public keys of clients and of trusted issuers, by value (`jwks`) or by address (`jwks_uri`)."""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Mapping
from datetime import timedelta
from functools import lru_cache
from typing import Any, Protocol

import msgspec

from sealwright.clock import Clock, Instant, after, is_ahead
from sealwright.errors import Unavailable
from sealwright.jose import JwkRefused, VerificationKeys, keys_of_jwks
from sealwright.oauth.client_authentication.errors import NotProven
from sealwright.outbound import Outbound

KEPT_FOR = timedelta(minutes=1)
"""How long a fetched key set is used: a key that the client took out of it proves nothing any more after that."""
UNKNOWN_KEY_PAUSE = timedelta(seconds=10)
"""An assertion with an unknown key makes us fetch anew, at most this often for each address."""
FAILURE_PAUSE = timedelta(seconds=5)
"""An address that failed is left alone for this long."""
LARGEST_ANSWER = 64 * 1024
PATIENCE = 2.5
"""Seconds for the whole call."""
MOST_ADDRESSES = 1_000

_OK = 200


class KeySetHolder(Protocol):
    """A client, or a trusted issuer: it has listed keys, or an address of them, or neither."""

    @property
    def jwks(self) -> Mapping[str, Any] | None:
        """Its key set."""

    @property
    def jwks_uri(self) -> str | None:
        """Where its key set is fetched from."""


class _Fetched(msgspec.Struct):
    """The cached key set of one address."""

    lock: asyncio.Lock = msgspec.field(default_factory=asyncio.Lock)
    document: bytes | None = None
    until: Instant = Instant(0)
    ask_again_from: Instant = Instant(0)
    failure: NotProven | None = None
    failed_until: Instant = Instant(0)


class ClientKeySets:
    """Key sets by address; one for each process."""

    def __init__(self, outbound: Outbound, clock: Clock) -> None:
        self._outbound = outbound
        self._clock = clock
        self._fetched: dict[str, _Fetched] = {}

    async def keys(self, holder: KeySetHolder, key_id: object) -> VerificationKeys:
        """The keys that may have signed an assertion of the client. A fetched set that lacks `key_id` is fetched once more."""
        document = await self._document(holder)
        keys = _keys_in(document)
        if holder.jwks_uri is not None and isinstance(key_id, str) and all(key.id != key_id for key in keys):
            keys = _keys_in(await self._fetch_anew(holder.jwks_uri))
        return keys

    async def certificates(self, holder: KeySetHolder) -> frozenset[bytes]:
        """The certificates (`x5c`) that the client registered, in DER."""
        return _certificates_in(await self._document(holder))

    async def certificates_anew(self, holder: KeySetHolder) -> frozenset[bytes]:
        """The same, after a key set at an address was fetched once more."""
        if holder.jwks_uri is None:
            return await self.certificates(holder)
        return _certificates_in(await self._fetch_anew(holder.jwks_uri))

    async def _document(self, holder: KeySetHolder) -> bytes:
        if holder.jwks is not None:
            return msgspec.json.encode(holder.jwks)
        if holder.jwks_uri is None:
            raise NotProven("no key is registered for it")
        known = self._known(holder.jwks_uri)
        if known.document is not None and is_ahead(known.until, self._clock.now(), at_most=KEPT_FOR):
            return known.document
        async with known.lock:
            if known.document is None or not is_ahead(known.until, self._clock.now(), at_most=KEPT_FOR):
                await self._fetch(holder.jwks_uri, known)
            return known.document or b""

    async def _fetch_anew(self, uri: str) -> bytes:
        known = self._known(uri)
        async with known.lock:
            if known.document is None or not is_ahead(known.ask_again_from, self._clock.now(), at_most=UNKNOWN_KEY_PAUSE):
                await self._fetch(uri, known)
            return known.document or b""

    def _known(self, uri: str) -> _Fetched:
        if uri not in self._fetched and len(self._fetched) >= MOST_ADDRESSES:
            del self._fetched[next(iter(self._fetched))]
        return self._fetched.setdefault(uri, _Fetched())

    async def _fetch(self, uri: str, known: _Fetched) -> None:
        now = self._clock.now()
        if known.failure is not None and is_ahead(known.failed_until, now, at_most=FAILURE_PAUSE):
            raise NotProven(known.failure.kind, known.failure.detail)
        known.ask_again_from = after(now, UNKNOWN_KEY_PAUSE)
        try:
            document = await self._answer(uri)
            _keys_in(document)
        except NotProven as cause:
            known.failure, known.failed_until = cause, after(self._clock.now(), FAILURE_PAUSE)
            raise
        known.document, known.until = document, after(self._clock.now(), KEPT_FOR)

    async def _answer(self, uri: str) -> bytes:
        try:
            answer = await self._outbound.get(uri, max_bytes=LARGEST_ANSWER, timeout=PATIENCE)
        except Unavailable as cause:
            raise NotProven("its keys cannot be fetched", f"its keys cannot be fetched: {cause.detail}") from cause
        if answer.status != _OK:
            raise NotProven("its keys cannot be fetched", f"its keys at {uri} were answered with status {answer.status}")
        return answer.body


@lru_cache(maxsize=1_024)
def _keys_in(document: bytes) -> VerificationKeys:
    try:
        return keys_of_jwks(document)
    except JwkRefused as cause:
        raise NotProven("its key set cannot be used", f"its key set cannot be used: {cause.detail}") from cause


@lru_cache(maxsize=1_024)
def _certificates_in(document: bytes) -> frozenset[bytes]:
    try:
        keys = msgspec.json.decode(document, type=dict[str, Any]).get("keys")
    except (msgspec.MsgspecError, ValueError, RecursionError) as cause:
        raise NotProven("its key set is not a JSON object") from cause
    found = (_certificate_in(key) for key in keys if isinstance(key, Mapping)) if isinstance(keys, list) else ()
    return frozenset(der for der in found if der is not None)


def _certificate_in(key: Mapping[str, Any]) -> bytes | None:
    """The first certificate of `x5c` (RFC 7517, section 4.7)."""
    chain = key.get("x5c")
    if not isinstance(chain, list) or not chain or not isinstance(chain[0], str):
        return None
    try:
        return base64.b64decode(chain[0], validate=True)
    except (binascii.Error, ValueError):
        return None
