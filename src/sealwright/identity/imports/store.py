"""The only SQL about imports."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, delete, func, insert, select, tuple_, update

from sealwright.clock import Instant
from sealwright.db import Database, Statement, Transaction, delete_before
from sealwright.db.schema import (
    account_words,
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
_END_IMPORTS_OF = Statement(update(person_imports).where(i.created_by == _p("who")).values(expires_at=_p("ended")))
_expired_people = (
    select(r.import_id, r.position)
    .join(person_imports, i.id == r.import_id)
    .where(i.expires_at < _p("before"))
    .order_by(r.import_id, r.position)
    .limit(_p("at_most"))
)
_DELETE_EXPIRED_PEOPLE = Statement(delete(imported_people).where(tuple_(r.import_id, r.position).in_(_expired_people)))
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
    "words": Statement(insert(account_words)),
    "attributes": Statement(insert(person_attributes)),
    "keys": Statement(insert(ssh_public_keys)),
    "credentials": Statement(insert(credentials)),
}
TABLES = tuple(_INTO)


async def insert_import(tx: Transaction, import_id: str, created_by: str, now: Instant, expires_at: Instant) -> None:
    """Begin an import. What its maker had begun before is gone."""
    await end_imports_of(tx, created_by)
    await tx.run(_INSERT_IMPORT, id=import_id, created_by=created_by, created_at=now, expires_at=expires_at)


async def is_open(reader: Reader, import_id: str, created_by: str, now: Instant) -> bool:
    """Whether someone may add to an import, or finish it."""
    return await reader.one(_IMPORT, import_id=import_id, who=created_by, now=now) is not None


async def end_imports_of(tx: Transaction, created_by: str) -> None:
    """End what someone has begun: no one adds to it or finishes it. Its people are deleted by `purge`, a few at a time."""
    await tx.run(_END_IMPORTS_OF, who=created_by, ended=0)


async def purge(tx: Transaction, now: Instant, at_most: int) -> int:
    """Delete so many people of imports that are over, and the imports once they have none; returns how many rows.

    An import may hold a hundred thousand people: deleted at once with it, they would keep every other writer waiting.
    """
    people = await tx.run(_DELETE_EXPIRED_PEOPLE, before=now + 1, at_most=at_most)
    return people or await tx.run(_DELETE_EXPIRED, before=now + 1, at_most=at_most)


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
