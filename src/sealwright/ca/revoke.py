"""Revoke: by a provisioner's token, by the certificate itself, or by someone who is signed in.

A JWK provisioner revokes certificates of its own only, where in `step-ca` any key revokes anything. A serial number that was
never issued here is refused, where `step-ca` writes it down all the same.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sealwright.access import Actor, Permission, require
from sealwright.audit import Audit, Event
from sealwright.ca import store
from sealwright.ca.certificate_lookup import CertificateLookup
from sealwright.ca.errors import AlreadyRevoked, CertificateUnknown, RevocationRefused, TokenUsed
from sealwright.ca.models import TokenUse
from sealwright.ca.provisioners import ProvisionerTokens, VerifiedToken
from sealwright.ca.records import CertificateRecord, CertificateState
from sealwright.ca.serials import decimal_text, serial_text
from sealwright.clock import Clock
from sealwright.db import Database, Transaction
from sealwright.errors import Failure

LONGEST_REASON = 500


class Revocation:
    """Revokes certificates of this authority."""

    def __init__(self, db: Database, tokens: ProvisionerTokens, lookup: CertificateLookup, audit: Audit, clock: Clock) -> None:
        self._db = db
        self._tokens = tokens
        self._lookup = lookup
        self._audit = audit
        self._clock = clock

    async def with_token(self, serial: bytes, token: str, *, code: int, reason: str) -> None:
        """Revoke the certificate whose serial number is the `sub` of the token; its provisioner must be the token's."""
        verified = await self._tokens.for_revoke(token)
        async with self._refusals_of(verified.actor, serial):
            await self._with_verified(verified, serial, code=code, reason=reason)

    async def _with_verified(self, verified: VerifiedToken, serial: bytes, *, code: int, reason: str) -> None:
        if verified.subject != decimal_text(serial):  # the form that `step` signs, and no other of the same number
            raise RevocationRefused(
                f"The token is for revoking {verified.subject[:100]}, not {serial_text(serial)} ({decimal_text(serial)}).",
                reasons=("the token's sub must be the serial number in decimal",),
            )
        record = await self._record(serial)
        if record.provisioner_id != verified.provisioner.id:
            raise RevocationRefused(
                f"The provisioner {verified.provisioner.name} did not vouch for the certificate {serial_text(serial)}.",
                reasons=("a provisioner revokes only certificates of its own",),
                hint="Use the certificate's own provisioner, the certificate with its key, or an administrator of this server.",
            )
        await self._revoke(record, verified.actor, code=code, reason=reason, token_use=verified.use)

    async def with_certificate(self, serial: bytes, certificate_der: bytes, *, code: int, reason: str) -> None:
        """Revoke the certificate that a TLS connection was authenticated with; no other."""
        own = await self._lookup.find(certificate_der)
        holder = _holder_of(own.record)
        async with self._refusals_of(holder, serial):
            await self._with_own(own.record, holder, serial, code=code, reason=reason)

    async def _with_own(self, record: CertificateRecord, holder: Actor, serial: bytes, *, code: int, reason: str) -> None:
        if record.serial != serial:
            raise RevocationRefused(
                f"The connection was made with the certificate {serial_text(record.serial)}, not {serial_text(serial)}.",
                reasons=("a certificate revokes only itself",),
            )
        await self._revoke(record, holder, code=code, reason=reason)

    async def by_actor(self, serial: bytes, actor: Actor, *, code: int, reason: str) -> CertificateRecord:
        """Revoke for someone who is signed in: their own certificates, and with `certificate:revoke` any. Returns the row."""
        async with self._refusals_of(actor, serial):
            if not await self.is_own(serial, actor):
                record = await store.by_serial(self._db, serial)
                require(actor, Permission.CERTIFICATE_REVOKE, () if record is None else record.scopes)
            await self._revoke(await self._record(serial), actor, code=code, reason=reason)
        return await self._record(serial)

    async def is_own(self, serial: bytes, actor: Actor) -> bool:
        """Whether a certificate is the actor's own, who then needs no permission to revoke it."""
        record = await store.by_serial(self._db, serial)
        return record is not None and bool(actor.id) and record.account_id == actor.id

    @asynccontextmanager
    async def _refusals_of(self, actor: Actor, serial: bytes) -> AsyncIterator[None]:
        """Leave an audit row where someone who proved who they are is refused."""
        try:
            yield
        except Failure as refusal:
            await self._audit.refused(
                self._db,
                Event.CERTIFICATE_REVOKED,
                actor=actor,
                target=f"certificate:{serial.hex()}",
                reason=refusal.code,
                details={"reason": refusal.detail, "reasons": list(refusal.reasons)},
            )
            raise

    async def _record(self, serial: bytes) -> CertificateRecord:
        record = await store.by_serial(self._db, serial)
        if record is None or record.state is CertificateState.FAILED:
            raise CertificateUnknown(f"There is no certificate with the serial number {serial_text(serial)}.")
        return record

    async def _revoke(
        self, record: CertificateRecord, actor: Actor, *, code: int, reason: str, token_use: TokenUse | None = None
    ) -> None:
        serial = record.serial

        async def body(tx: Transaction) -> None:
            if token_use and not await store.consume_token(tx, token_use):
                raise TokenUsed("The token has been used before; each is for one revocation.")
            if not await store.revoke(tx, serial, now=self._clock.now(), reason=code):
                raise AlreadyRevoked(f"The certificate {serial_text(serial)} was revoked before.")
            await self._audit.record(
                tx,
                Event.CERTIFICATE_REVOKED,
                actor=actor,
                target=f"certificate:{serial.hex()}",
                details={"reason_code": code, "reason": reason[:LONGEST_REASON], "state": str(record.state)},
            )

        await self._db.write(body)


def _holder_of(record: CertificateRecord) -> Actor:
    """Who revokes with a certificate: the person or service account that it speaks for, the client, or a machine."""
    if record.account_id is not None:
        return Actor("person" if record.client_id is None else "service", record.account_id, record.holder_name)
    return Actor("service" if record.client_id is None else "client", record.client_id or "", record.holder_name)
