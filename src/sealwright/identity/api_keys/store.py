"""The only SQL about API keys."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import bindparam, delete, insert, select, update

from sealwright.access import Permission
from sealwright.clock import Instant
from sealwright.db import Database, Row, Statement, Transaction, delete_before, upsert
from sealwright.db.schema import accounts, api_key_uses, api_keys, mail_addresses
from sealwright.identity.api_keys.models import ApiKey, ApiKeyUse, OwnedKey
from sealwright.identity.directory.store import ACCOUNT_COLUMNS, MAIL_COLUMNS, accounts_from
from sealwright.identity.models import Account

Reader = Database | Transaction

k, u = api_keys.c, api_key_uses.c
_NAMES = ApiKey.__struct_fields__
_columns = [k[name] for name in _NAMES]
_BY_DIGEST = Statement(
    select(*_columns, *ACCOUNT_COLUMNS, *MAIL_COLUMNS)
    .join_from(api_keys, accounts, accounts.c.id == k.account_id)
    .outerjoin(mail_addresses, mail_addresses.c.account_id == accounts.c.id)
    .where(k.digest == bindparam("digest"))
    .order_by(mail_addresses.c.position)
)
_owned = select(*_columns, accounts.c.name.label("owner")).join_from(api_keys, accounts, accounts.c.id == k.account_id)
_BY_ID = Statement(_owned.where(k.id == bindparam("id")))
_OF_ACCOUNT = Statement(_owned.where(k.account_id == bindparam("account_id")).order_by(k.created_at, k.id))
_PAGE = Statement(_owned.where(k.id > bindparam("beyond")).order_by(k.id).limit(bindparam("at_most")))
_INSERT = Statement(insert(api_keys))
_USED = Statement(
    update(api_keys).where(k.id == bindparam("of")).values(last_used_at=bindparam("now"), last_address=bindparam("address"))
)
_REPLACE = Statement(
    update(api_keys)
    .where(k.id == bindparam("of"), k.replaced_at.is_(None), k.revoked_at.is_(None))
    .values(replaced_at=bindparam("now"), expires_at=bindparam("until"))
    .returning(k.id)
)
_NARROW = Statement(update(api_keys).where(k.id == bindparam("of")).values(scopes=bindparam("new_scopes")))
_REVOKE = Statement(
    update(api_keys).where(k.id == bindparam("of"), k.revoked_at.is_(None)).values(revoked_at=bindparam("now")).returning(k.id)
)
_REVOKE_ALL = Statement(
    update(api_keys)
    .where(k.account_id == bindparam("of"), k.revoked_at.is_(None), k.expires_at > bindparam("now"))
    .values(revoked_at=bindparam("now"))
    .returning(k.id)
)
_USES = Statement(select(u.permission, u.last_used_at).where(u.key_id == bindparam("key_id")).order_by(u.permission))
_NOTE_USE = upsert(api_key_uses, key=("key_id", "permission"), update=("last_used_at",))
_DELETE_OLD = delete_before(k.id, k.expires_at)
_DELETE_REVOKED = Statement(delete(api_keys).where(k.revoked_at < bindparam("before")))


def _key(row: Row) -> ApiKey:
    values = dict(zip(_NAMES, row[: len(_NAMES)], strict=True))
    return ApiKey(**{**values, "scopes": tuple(values["scopes"].split())})


def _owned_key(row: Row) -> OwnedKey:
    return OwnedKey(_key(row), str(row[len(_NAMES)]))


async def by_digest(reader: Reader, digest: bytes) -> tuple[ApiKey, Account] | None:
    """The key and its owner, whatever their state, in one query."""
    rows = await reader.all(_BY_DIGEST, digest=digest)
    return (_key(rows[0]), accounts_from(row[len(_NAMES) :] for row in rows)[0]) if rows else None


async def by_id(reader: Reader, key_id: str) -> OwnedKey | None:
    """One key, whatever its state."""
    row = await reader.one(_BY_ID, id=key_id)
    return None if row is None else _owned_key(row)


async def of_account(reader: Reader, account_id: str) -> list[OwnedKey]:
    """Keys of an account, the oldest first."""
    return [_owned_key(row) for row in await reader.all(_OF_ACCOUNT, account_id=account_id)]


async def page(reader: Reader, *, beyond: str, at_most: int) -> list[OwnedKey]:
    """Keys of everyone, by id."""
    return [_owned_key(row) for row in await reader.all(_PAGE, beyond=beyond, at_most=at_most)]


async def insert_key(tx: Transaction, new: ApiKey, digest: bytes) -> None:
    """Store a new key."""
    values = {name: getattr(new, name) for name in _NAMES}
    await tx.run(_INSERT, **{**values, "scopes": " ".join(new.scopes), "digest": digest})


async def note_use(tx: Transaction, key_id: str, address: str, now: Instant) -> None:
    """Note that the key was used."""
    await tx.run(_USED, of=key_id, address=address, now=now)


async def replace(tx: Transaction, key_id: str, *, now: Instant, until: Instant) -> bool:
    """Let a key end at `until`, as another takes its place; False where one did already, or it was revoked."""
    return await tx.one(_REPLACE, of=key_id, now=now, until=until) is not None


async def narrow(tx: Transaction, key_id: str, scopes: Iterable[str]) -> None:
    """Give a key another scope."""
    await tx.run(_NARROW, of=key_id, new_scopes=" ".join(scopes))


async def revoke(tx: Transaction, key_id: str, now: Instant) -> bool:
    """End a key; False where it was revoked already."""
    return await tx.one(_REVOKE, of=key_id, now=now) is not None


async def revoke_of_account(tx: Transaction, account_id: str, now: Instant) -> list[str]:
    """End every key of an account that is valid; returns the ids."""
    return [row[0] for row in await tx.all(_REVOKE_ALL, of=account_id, now=now)]


async def uses(reader: Reader, key_id: str) -> tuple[ApiKeyUse, ...]:
    """What the key was used with. Permissions that this program does not know are left out."""
    known = {str(each): each for each in Permission}
    rows = await reader.all(_USES, key_id=key_id)
    return tuple(ApiKeyUse(known[name], at) for name, at in rows if name in known)


async def note_uses(tx: Transaction, key_id: str, used: Iterable[ApiKeyUse]) -> None:
    """Note that the key was used with permissions."""
    for each in used:
        await tx.run(_NOTE_USE, key_id=key_id, permission=str(each.permission), last_used_at=each.last_used_at)


async def purge(tx: Transaction, before: Instant, at_most: int) -> int:
    """Remove so many keys that expired before, and all that were revoked before; returns how many."""
    return await tx.run(_DELETE_OLD, before=before, at_most=at_most) + await tx.run(_DELETE_REVOKED, before=before)
