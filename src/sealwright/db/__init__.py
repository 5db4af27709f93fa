"""One schema, two engines, statements compiled once.

Owns: tables, connections, transactions, migrations. Never knows what a row means. Only `store.py` files import the schema.
"""

from __future__ import annotations

import apsw

from sealwright.db.around_writes import AroundWrite, around_writes, nothing_around_writes, reading_in
from sealwright.db.batches import AT_ONCE, DeleteSome, delete_before, delete_in_batches
from sealwright.db.engine import Database, DuplicateRow, Insertion, MissingReference, Row, Transaction, Writer
from sealwright.db.errors import unusable
from sealwright.db.singleflight import SingleFlight
from sealwright.db.sqlite import SqliteDatabase
from sealwright.db.sqlite_copy import copy_sqlite
from sealwright.db.statements import Statement, insert_once, upsert
from sealwright.db.urls import sqlite_file
from sealwright.db.within_transaction import WithinTransaction
from sealwright.db.write_batcher import WriteBatcher, first_uses

__all__ = [
    "AT_ONCE",
    "AroundWrite",
    "Database",
    "DeleteSome",
    "DuplicateRow",
    "Insertion",
    "MissingReference",
    "Row",
    "SingleFlight",
    "Statement",
    "Transaction",
    "WithinTransaction",
    "WriteBatcher",
    "Writer",
    "around_writes",
    "copy_sqlite",
    "delete_before",
    "delete_in_batches",
    "first_uses",
    "insert_once",
    "nothing_around_writes",
    "open_database",
    "reading_in",
    "sqlite_file",
    "upsert",
]


async def open_database(url: str) -> Database:
    """Open ``sqlite:///path`` or ``postgresql://…``; call it after forking, inside the running event loop."""
    if (file := sqlite_file(url)) is not None:
        try:
            return await SqliteDatabase.open(file)
        except (OSError, apsw.Error) as cause:
            raise unusable(cause, url) from cause
    from sealwright.db.postgresql import PostgresqlDatabase  # noqa: PLC0415 - its driver is not needed for SQLite

    return await PostgresqlDatabase.connect(url)
