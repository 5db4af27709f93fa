"""Requests of devices: asked by the device, found by the person's code, decided like any authorization request."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec

from sealwright.clock import after
from sealwright.db import DuplicateRow, Transaction
from sealwright.entropy import token
from sealwright.oauth.clients import store as client_store
from sealwright.oauth.dependencies import OAuthDependencies
from sealwright.oauth.device import store
from sealwright.oauth.device.user_codes import new_user_code, read_user_code, shown
from sealwright.oauth.digests import digest_of
from sealwright.oauth.models import AuthorizationRequest, Client, PendingRequest

DEVICE_PAGE = "/ui/oauth2/device"
DEVICE_DONE_PAGE = DEVICE_PAGE + "/done"
LASTS = timedelta(minutes=10)
INTERVAL = timedelta(seconds=5)
"""Between two polls of a device (RFC 8628, section 3.5)."""
_MILLISECOND = timedelta(milliseconds=1)
_read = msgspec.json.Decoder(AuthorizationRequest).decode
_TRIES = 3


class DeviceRequests:
    """Authorization requests of devices, stored by the digests of device code and user code."""

    def __init__(self, dependencies: OAuthDependencies) -> None:
        self._db = dependencies.db
        self._clock = dependencies.clock
        self._entropy = dependencies.entropy
        self._origin = dependencies.origin

    async def begin(self, client: Client, request: AuthorizationRequest) -> dict[str, Any]:
        """Keep a request; the members of the response to the device (RFC 8628, section 3.2)."""
        now, device_code = self._clock.now(), token(self._entropy)
        for tries_left in reversed(range(_TRIES)):
            user_code = new_user_code(self._entropy)
            asked = msgspec.structs.replace(request, device=digest_of(device_code), user_code=user_code)
            new = store.NewRequest(
                digest=digest_of(device_code),
                user_code_digest=digest_of(user_code),
                client_id=client.id,
                request=msgspec.json.encode(asked).decode(),
                created_at=now,
                expires_at=after(now, LASTS),
                next_poll_at=now,
                interval_ms=INTERVAL // _MILLISECOND,
            )

            async def body(tx: Transaction, new: store.NewRequest = new) -> None:
                await store.insert_request(tx, new)

            try:
                await self._db.write(body)
                break
            except DuplicateRow:  # one in 10^10, for each request that waits
                if not tries_left:
                    raise
        page = self._origin + DEVICE_PAGE
        return {
            "device_code": device_code,
            "user_code": shown(user_code),
            "verification_uri": page,
            "verification_uri_complete": f"{page}?user_code={shown(user_code)}",
            "expires_in": int(LASTS.total_seconds()),
            "interval": int(INTERVAL.total_seconds()),
        }

    async def find(self, typed: str) -> PendingRequest | None:
        """The request with the code that a person typed; None where none waits."""
        code, now = read_user_code(typed), self._clock.now()
        found = None if code is None else await store.by_user_code(self._db, digest_of(code))
        if found is None or found.is_decided or found.expires_at <= now:
            return None
        client = await client_store.client_with_id(self._db, found.client_id)
        return None if client is None else PendingRequest(client, _read(found.request), now, found.expires_at)

    async def allow(self, tx: Transaction, digest: bytes, family_id: str) -> bool:
        """Give the device its authorization; true only for the first decision."""
        return await store.allow(tx, digest, family_id, self._clock.now())

    async def deny(self, tx: Transaction, digest: bytes) -> bool:
        """Refuse it; true only for the first decision."""
        return await store.deny(tx, digest, self._clock.now())
