"""Delete expired rows, a few in each transaction, so that other writers do not wait for long."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy import Column, bindparam, delete, select

from sealwright.clock import Instant
from sealwright.db.engine import Database, Transaction
from sealwright.db.statements import Statement

AT_ONCE = 100
"""Rows in one transaction: some milliseconds, also where each is on a page of its own."""

DeleteSome = Callable[[Transaction, Instant, int], Awaitable[int]]
"""Deletes what expired before an instant, at most that many rows of each kind; returns how many it deleted."""


def delete_before(key: Column[Any], instant: Column[Any]) -> Statement:
    """Delete at most `at_most` rows whose `instant` is earlier than `before`; `key` is what tells rows apart."""
    chosen = select(key).where(instant < bindparam("before")).order_by(instant).limit(bindparam("at_most"))
    return Statement(delete(key.table).where(key.in_(chosen)))


async def delete_in_batches(db: Database, delete_some: DeleteSome, before: Instant) -> int:
    """Delete what expired before an instant, until a transaction deletes nothing; returns the number of rows.

    After each transaction as much time is left to others as it took: pages that a checkpoint has to write come no faster.
    """
    loop, gone = asyncio.get_running_loop(), 0
    while True:
        began = loop.time()
        deleted = await db.write(lambda tx: delete_some(tx, before, AT_ONCE))
        if not deleted:
            return gone
        gone += deleted
        await asyncio.sleep(loop.time() - began)
