"""The only SQL about imports."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, delete, func, insert, select

from sealwright.clock import Instant
from sealwright.db import Database, Statement, Transaction, delete_before
from sealwright.db.schema import (
    accounts,
    credentials,
    groups,
    imported_people,
    mail_addresses,
    person_attributes,
    person_imports,
    ssh_public_keys,
)
from sealwright.identity.recycle_bin import store as recycle_bin

Reader = Database | Transaction

_p = bindparam
i, r = person_imports.c, imported_people.c
_INSERT_IMPORT = Statement(insert(person_imports))
_IMPORT = Statement(select(i.id).where(i.id == _p("import_id"), i.created_by == _p("who"), i.expires_at > _p("now")))
_DELETE_IMPORTS_OF = Statement(delete(person_imports).where(i.created_by == _p("who")))
_DELETE_EXPIRED = delete_before(i.id, i.expires_at)
_COUNT = Statement(select(func.count()).select_from(imported_people).where(r.import_id == _p("import_id")))
_INSERT_ROW = Statement(insert(imported_people))
_ROWS = Statement(
    select(r.position, r.sealed)
    .where(r.import_id == _p("import_id"), r.position > _p("beyond"))
    .order_by(r.position)
    .limit(_p("at_most"))
)
_ACCOUNT_CALLED = Statement(select(accounts.c.id).where(accounts.c.name == _p("name")))
_GROUP_CALLED = Statement(select(groups.c.id).where(groups.c.name == _p("name")))
_INTO = {
    "accounts": Statement(insert(accounts)),
    "mails": Statement(insert(mail_addresses)),
    "attributes": Statement(insert(person_attributes)),
    "keys": Statement(insert(ssh_public_keys)),
    "credentials": Statement(insert(credentials)),
}


async def insert_import(tx: Transaction, import_id: str, created_by: str, now: Instant, expires_at: Instant) -> None:
    """Begin an import. What its maker had begun before is gone."""
    await tx.run(_DELETE_IMPORTS_OF, who=created_by)
    await tx.run(_INSERT_IMPORT, id=import_id, created_by=created_by, created_at=now, expires_at=expires_at)


async def is_open(reader: Reader, import_id: str, created_by: str, now: Instant) -> bool:
    """Whether someone may add to an import, or finish it."""
    return await reader.one(_IMPORT, import_id=import_id, who=created_by, now=now) is not None


async def delete_imports_of(tx: Transaction, created_by: str) -> None:
    """Forget what someone has begun."""
    await tx.run(_DELETE_IMPORTS_OF, who=created_by)


async def purge(tx: Transaction, now: Instant, at_most: int) -> int:
    """Forget so many imports that were not finished in time; returns how many."""
    return await tx.run(_DELETE_EXPIRED, before=now + 1, at_most=at_most)


async def count(reader: Reader, import_id: str) -> int:
    """How many people an import holds."""
    row = await reader.one(_COUNT, import_id=import_id)
    return 0 if row is None else int(row[0])


async def insert_rows(tx: Transaction, import_id: str, first: int, sealed: Sequence[bytes]) -> None:
    """Keep people, each sealed, from the position `first` on."""
    await tx.run_many(
        _INSERT_ROW,
        [{"import_id": import_id, "position": first + number, "sealed": each} for number, each in enumerate(sealed)],
    )


async def rows(tx: Transaction, import_id: str, beyond: int, at_most: int) -> list[tuple[int, bytes]]:
    """People after a position, each with its own."""
    return [(row[0], row[1]) for row in await tx.all(_ROWS, import_id=import_id, beyond=beyond, at_most=at_most)]


async def is_name_free(reader: Reader, name: str) -> bool:
    """Whether neither an account nor a group has the name, nor what was deleted and can be revived."""
    if await recycle_bin.is_reserved(reader, name):
        return False
    return await reader.one(_ACCOUNT_CALLED, name=name) is None and await reader.one(_GROUP_CALLED, name=name) is None


async def is_group(reader: Reader, name: str) -> bool:
    """Whether a group has the name."""
    return await reader.one(_GROUP_CALLED, name=name) is not None


async def insert_all(tx: Transaction, values: dict[str, list[dict[str, Any]]]) -> None:
    """Store what belongs to new people, by table; DuplicateRow where one is there already."""
    for table, statement in _INTO.items():
        await tx.run_many(statement, values[table])
