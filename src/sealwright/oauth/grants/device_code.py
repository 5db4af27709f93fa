"""Redeem a device code, once the person has allowed it elsewhere (RFC 8628, section 3.4)."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from sealwright.access import Actor
from sealwright.client_metadata import ClientKind
from sealwright.db import Transaction
from sealwright.oauth.device import store as device_store
from sealwright.oauth.digests import digest_of
from sealwright.oauth.errors import (
    AuthorizationEnded,
    AuthorizationPending,
    DeviceCodeExpired,
    DeviceDenied,
    GrantRefused,
    PollingTooFast,
)
from sealwright.oauth.grants import store
from sealwright.oauth.grants.grant import GrantDependencies
from sealwright.oauth.grants.grant_result import CompleteGrant, GrantResult, new_grant, new_refresh_token
from sealwright.oauth.grants.redemptions import Redemption, Redemptions
from sealwright.oauth.grants.registered import DEVICE_CODE
from sealwright.oauth.models import Client
from sealwright.oauth.token_request import TokenRequest

_AGAIN = "a device code was used again"
_UNKNOWN = "The device code is unknown or used, or was made for another client."
_SLOWER = timedelta(seconds=5) // timedelta(milliseconds=1)
"""Milliseconds (RFC 8628, section 3.5)."""


class DeviceCodeGrant:
    """The device polls; after the person's decision its code can be used once."""

    grant_type: ClassVar[str] = DEVICE_CODE
    standard: ClassVar[str] = "RFC 8628, section 3.4"
    open_to: ClassVar[frozenset[ClientKind]] = frozenset(ClientKind)

    def __init__(self, dependencies: GrantDependencies) -> None:
        self._db = dependencies.oauth.db
        self._clock = dependencies.oauth.clock
        self._entropy = dependencies.oauth.entropy
        self._families = dependencies.families
        self._redemptions = Redemptions(dependencies, store.consume_device_codes, grant_type=self.grant_type, used_again=_AGAIN)

    async def redeem(self, client: Client, request: TokenRequest, actor: Actor, complete: CompleteGrant) -> GrantResult:
        """Use the device code up, where the person has allowed it. A second use revokes every token of the first."""
        digest = digest_of(request.required("device_code"))
        found = await device_store.by_device_code(self._db, digest)
        if found is None or found.client_id != client.id:
            raise GrantRefused(_UNKNOWN)
        family = None if found.family_id is None else await self._families.find(found.family_id)
        if family is not None and found.is_consumed:
            await self._families.refuse(family, client, _AGAIN, actor, revoke=True)
            raise GrantRefused(_UNKNOWN)
        if found.expires_at <= self._clock.now():
            raise DeviceCodeExpired("The device code has expired. Begin again on the device.")
        if found.is_denied:
            raise DeviceDenied("The person did not allow it.")
        if family is None:
            await self._wait(digest)
            raise AuthorizationPending("The person has not decided yet.")
        try:
            holder = await self._families.holder_of(family)
        except AuthorizationEnded as over:
            await self._families.refuse(family, client, over.detail, actor)
            raise GrantRefused(over.detail) from over
        refresh_token = new_refresh_token(self._entropy, client)
        result = await complete(
            new_grant(
                self._entropy,
                family,
                holder,
                family.scope,
                refresh_token,
                nonce=family.nonce,
                confirmation=request.confirmation,
            )
        )
        if not await self._redemptions.redeem(Redemption(digest, result, refresh_token, client, actor)):
            raise GrantRefused(_UNKNOWN)
        return result

    async def _wait(self, digest: bytes) -> None:
        """Raise PollingTooFast where the device asks earlier than it may; it then has to wait five seconds more each time."""
        now = self._clock.now()

        async def body(tx: Transaction) -> bool:
            if await device_store.poll(tx, digest, now):
                return True
            await device_store.slow_down(tx, digest, now, _SLOWER)
            return False

        if not await self._db.write(body):
            raise PollingTooFast("The device asks too often. It has to wait five seconds longer from now on.")
