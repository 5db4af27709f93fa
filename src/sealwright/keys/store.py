"""The only SQL about signing keys."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import bindparam, insert, select, update

from sealwright.clock import Instant
from sealwright.db import Database, Row, Statement, Transaction, insert_once
from sealwright.db.schema import key_changes as c
from sealwright.db.schema import signing_keys as t
from sealwright.keys.models import NewKey, PublicKeyRecord, Purpose
from sealwright.keys.software import from_spki_der, to_spki_der

_PUBLIC = (t.c.id, t.c.purpose, t.c.owner, t.c.algorithm, t.c.public_der, t.c.created_at, t.c.retired_at)
_NEWEST_FIRST = (t.c.created_at.desc(), t.c.id)
_OF_OWNER = (t.c.purpose == bindparam("purpose"), t.c.owner == bindparam("owner"), t.c.revoked_at.is_(None))

_INSERT = Statement(insert(t))
_ACTIVE = Statement(
    select(t.c.id).where(*_OF_OWNER, t.c.retired_at.is_(None), t.c.sealed_private.is_not(None)).order_by(*_NEWEST_FIRST).limit(1)
)
_PUBLIC_KEYS = Statement(select(*_PUBLIC).where(*_OF_OWNER).order_by(*_NEWEST_FIRST).limit(100))
_ONE = Statement(select(*_PUBLIC, t.c.sealed_private, t.c.revoked_at).where(t.c.id == bindparam("id")))
_RETIRE = Statement(update(t).where(t.c.id == bindparam("key_id"), t.c.retired_at.is_(None)).values(retired_at=bindparam("now")))
_REVOKE = Statement(update(t).where(t.c.id == bindparam("key_id"), t.c.revoked_at.is_(None)).values(revoked_at=bindparam("now")))
_REINSTATE = Statement(
    update(t).where(t.c.id == bindparam("key_id"), t.c.revoked_at.is_not(None)).values(revoked_at=bindparam("nothing"))
)
_TAKE_AWAY = Statement(
    update(t).where(t.c.id == bindparam("key_id"), t.c.sealed_private.is_not(None)).values(sealed_private=bindparam("nothing"))
)
_SIBLING = Statement(select(t.c.id).where(*_OF_OWNER, t.c.id != bindparam("key_id")).limit(1))
_CHANGES = Statement(select(c.c.changes).where(c.c.name == t.name))
_COUNT = Statement(update(c).where(c.c.name == t.name).values(changes=c.c.changes + 1))
_FIRST = insert_once(c, returning=c.c.name)


@dataclass(frozen=True, slots=True)
class StoredKey:
    """One row."""

    public: PublicKeyRecord
    sealed_private: bytes | None = field(repr=False)
    revoked_at: Instant | None


async def insert_key(tx: Transaction, key: NewKey, now: Instant) -> None:
    """Store a new key. No process remembers the keys of an owner who had none."""
    if await tx.one(_SIBLING, purpose=str(key.purpose), owner=key.owner, key_id=key.id) is not None:
        await count_change(tx)
    await tx.run(
        _INSERT,
        id=key.id,
        purpose=str(key.purpose),
        owner=key.owner,
        algorithm=key.algorithm,
        public_der=to_spki_der(key.public_key),
        sealed_private=key.sealed_private,
        created_at=now,
        retired_at=None,
        revoked_at=None,
    )


async def active_id(db: Database, purpose: Purpose, owner: str) -> str | None:
    """The newest key that may sign."""
    row = await db.one(_ACTIVE, purpose=str(purpose), owner=owner)
    return None if row is None else str(row[0])


async def public_keys(db: Database, purpose: Purpose, owner: str) -> list[PublicKeyRecord]:
    """Keys that are not revoked, newest first."""
    return [_record(row) for row in await db.all(_PUBLIC_KEYS, purpose=str(purpose), owner=owner)]


async def find(db: Database, key_id: str) -> StoredKey | None:
    """One key, whatever became of it."""
    row = await db.one(_ONE, id=key_id)
    return None if row is None else StoredKey(_record(row[:-2]), row[-2], row[-1])


async def retire(tx: Transaction, key_id: str, now: Instant) -> bool:
    """Returns whether this retired it."""
    return await _counted(tx, _RETIRE, key_id=key_id, now=now)


async def revoke(tx: Transaction, key_id: str, now: Instant) -> bool:
    """Returns whether this revoked it."""
    return await _counted(tx, _REVOKE, key_id=key_id, now=now)


async def reinstate(tx: Transaction, key_id: str) -> bool:
    """Returns whether it was revoked before."""
    return await _counted(tx, _REINSTATE, key_id=key_id, nothing=None)


async def remove_private(tx: Transaction, key_id: str) -> bool:
    """Returns whether there was a private part."""
    return await _counted(tx, _TAKE_AWAY, key_id=key_id, nothing=None)


async def changes(db: Database) -> int:
    """How often a key was changed that a process may remember."""
    row = await db.one(_CHANGES)
    return 0 if row is None else int(row[0])


async def _counted(tx: Transaction, statement: Statement, **values: object) -> bool:
    has_changed = await tx.run(statement, **values) > 0
    if has_changed:
        await count_change(tx)
    return has_changed


async def count_change(tx: Transaction) -> None:
    """Let every process know that what it remembers of keys may be over."""
    if not await tx.run(_COUNT) and await tx.one(_FIRST, name=t.name, changes=1) is None:
        await tx.run(_COUNT)  # the first one came from somewhere else at this moment


def _record(row: Row) -> PublicKeyRecord:
    key_id, purpose, owner, algorithm, public_der, created_at, retired_at = row
    return PublicKeyRecord(key_id, Purpose(purpose), owner, algorithm, from_spki_der(public_der), created_at, retired_at)
