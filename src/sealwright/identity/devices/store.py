"""The only SQL about known devices."""

from __future__ import annotations

from sqlalchemy import bindparam, delete, select

from sealwright.clock import Instant
from sealwright.db import Database, Statement, Transaction, delete_before, upsert
from sealwright.db.schema import known_devices
from sealwright.identity.models import KnownDevice

t = known_devices.c
_columns = [t[name] for name in KnownDevice.__struct_fields__]
_IS_KNOWN = Statement(
    select(t.id).where(
        t.digest == bindparam("digest"), t.account_id == bindparam("account_id"), t.last_used_at > bindparam("oldest")
    )
)
_IS_HELD = Statement(select(t.id).where(t.digest == bindparam("digest")).limit(1))
_PUT = upsert(known_devices, key=("account_id", "digest"), update=("user_agent", "last_used_at"))
_OF_ACCOUNT = Statement(
    select(*_columns)
    .where(t.account_id == bindparam("account_id"), t.last_used_at > bindparam("oldest"))
    .order_by(t.last_used_at.desc(), t.id)
)
_DELETE = Statement(delete(known_devices).where(t.id == bindparam("of")))
_DELETE_OF_ACCOUNT = Statement(delete(known_devices).where(t.account_id == bindparam("of")))
_DELETE_OLD = delete_before(t.id, t.last_used_at)


async def is_known(db: Database, account_id: str, digest: bytes, oldest: Instant) -> bool:
    """Whether the account knows this device, by a sign-in after `oldest`."""
    return await db.one(_IS_KNOWN, digest=digest, account_id=account_id, oldest=oldest) is not None


async def is_held(tx: Transaction, digest: bytes) -> bool:
    """Whether any account knows this device."""
    return await tx.one(_IS_HELD, digest=digest) is not None


async def put(tx: Transaction, device: KnownDevice, digest: bytes) -> None:
    """Store a device, or that it was used again."""
    await tx.run(_PUT, **{name: getattr(device, name) for name in KnownDevice.__struct_fields__}, digest=digest)


async def of_account(reader: Database | Transaction, account_id: str, oldest: Instant) -> list[KnownDevice]:
    """Devices of an account that were used after `oldest`, the latest first."""
    rows = await reader.all(_OF_ACCOUNT, account_id=account_id, oldest=oldest)
    return [KnownDevice(row[0], row[1], row[2], Instant(row[3]), Instant(row[4])) for row in rows]


async def keep_newest(tx: Transaction, account_id: str, most: int) -> None:
    """Forget what is beyond `most`, the longest unused first."""
    for device in (await of_account(tx, account_id, Instant(-1)))[most:]:
        await tx.run(_DELETE, of=device.id)


async def delete_of_account(tx: Transaction, account_id: str) -> int:
    """Forget every device of an account; returns how many."""
    return await tx.run(_DELETE_OF_ACCOUNT, of=account_id)


async def purge(tx: Transaction, last_used: Instant, at_most: int) -> int:
    """Forget so many devices that were not used after an instant; returns how many."""
    return await tx.run(_DELETE_OLD, before=last_used + 1, at_most=at_most)
