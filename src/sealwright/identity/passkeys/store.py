"""The only SQL about passkeys."""

from __future__ import annotations

from msgspec import Struct
from sqlalchemy import and_, bindparam, delete, or_, select, update

from sealwright.clock import Instant
from sealwright.db import Database, Row, Statement, Transaction, delete_before, insert_once
from sealwright.db.schema import known_devices, passkeys, used_challenges

Reader = Database | Transaction

_p = bindparam
t = passkeys.c


class StoredPasskey(Struct, frozen=True):
    """A registered passkey with its public key."""

    id: str
    account_id: str
    credential_id: bytes
    public_key: bytes
    sign_count: int
    backed_up: bool
    label: str
    created_at: Instant
    last_used_at: Instant | None


_columns = [t[name] for name in StoredPasskey.__struct_fields__]
_OF_ACCOUNT = Statement(select(*_columns).where(t.account_id == _p("account_id")).order_by(t.created_at, t.id))
_BY_CREDENTIAL_ID = Statement(select(*_columns).where(t.credential_id == _p("credential_id")))
_INSERT = insert_once(passkeys, returning=t.id)
_RENAME = Statement(
    update(passkeys).where(t.id == _p("of"), t.account_id == _p("owner")).values(label=_p("new_label")).returning(t.id)
)
_DELETE = Statement(delete(passkeys).where(t.id == _p("of"), t.account_id == _p("owner")).returning(t.id))
_DELETE_OF_ACCOUNT = Statement(delete(passkeys).where(t.account_id == _p("owner")))
_USE = Statement(
    update(passkeys)
    .where(t.id == _p("of"), or_(t.sign_count < _p("counted"), and_(t.sign_count == 0, _p("counted") == 0)))
    .values(sign_count=_p("counted"), backed_up=_p("now_backed_up"), last_used_at=_p("now"))
    .returning(t.id)
)
_ON_DEVICE = Statement(
    select(t.id)
    .join(known_devices, known_devices.c.account_id == t.account_id)
    .where(known_devices.c.digest == _p("digest"))
    .limit(1)
)
_USE_CHALLENGE = insert_once(used_challenges, returning=used_challenges.c.digest)
_DELETE_OLD_CHALLENGES = delete_before(used_challenges.c.digest, used_challenges.c.expires_at)


def _passkey(row: Row) -> StoredPasskey:
    return StoredPasskey(row[0], row[1], row[2], row[3], row[4], bool(row[5]), row[6], row[7], row[8])


async def of_account(reader: Reader, account_id: str) -> list[StoredPasskey]:
    """Passkeys of an account, the oldest first."""
    return [_passkey(row) for row in await reader.all(_OF_ACCOUNT, account_id=account_id)]


async def by_credential_id(reader: Reader, credential_id: bytes) -> StoredPasskey | None:
    """The passkey with this credential id."""
    row = await reader.one(_BY_CREDENTIAL_ID, credential_id=credential_id)
    return None if row is None else _passkey(row)


async def add(tx: Transaction, new: StoredPasskey) -> bool:
    """Store a new passkey; False if its credential id is registered already."""
    values = {name: getattr(new, name) for name in StoredPasskey.__struct_fields__}
    return await tx.one(_INSERT, **(values | {"backed_up": int(new.backed_up)})) is not None


async def rename(tx: Transaction, account_id: str, passkey_id: str, label: str) -> bool:
    """Change the label; False if the account has no such passkey."""
    return await tx.one(_RENAME, of=passkey_id, owner=account_id, new_label=label) is not None


async def remove(tx: Transaction, account_id: str, passkey_id: str) -> bool:
    """Delete a passkey; False if the account has no such passkey."""
    return await tx.one(_DELETE, of=passkey_id, owner=account_id) is not None


async def remove_all(tx: Transaction, account_id: str) -> int:
    """Delete every passkey of an account; returns how many."""
    return await tx.run(_DELETE_OF_ACCOUNT, owner=account_id)


async def use(tx: Transaction, passkey_id: str, sign_count: int, now: Instant, *, backed_up: bool) -> bool:
    """Store a use; False if the passkey is gone or its counter did not increase, as in a copy."""
    return await tx.one(_USE, of=passkey_id, counted=sign_count, now_backed_up=int(backed_up), now=now) is not None


async def any_on_device(reader: Reader, device_digest: bytes) -> bool:
    """Whether an account that was signed in to from this device has a passkey."""
    return await reader.one(_ON_DEVICE, digest=device_digest) is not None


async def use_challenge(tx: Transaction, digest: bytes, expires_at: Instant) -> bool:
    """Mark a challenge as used; False if it was used already."""
    return await tx.one(_USE_CHALLENGE, digest=digest, expires_at=expires_at) is not None


async def purge_challenges(tx: Transaction, before: Instant, at_most: int) -> int:
    """Delete so many used challenges that expired before an instant; returns how many."""
    return await tx.run(_DELETE_OLD_CHALLENGES, before=before, at_most=at_most)
