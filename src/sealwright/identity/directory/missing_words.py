"""Words for what has none: what a program of an earlier version stored, before the upgrade or beside it on another node."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from sealwright.db import AT_ONCE, Database, Transaction
from sealwright.identity.directory import store as directory
from sealwright.identity.name_search import store as words

AddWords = Callable[[Transaction, str], Awaitable[None]]


async def add_missing_words(db: Database) -> int:
    """Give every account and every group its words; returns how many had none under their name."""
    return await _add(db, words.accounts_after, _of_account) + await _add(db, words.groups_after, _of_group)


async def _add(db: Database, after: Callable[..., Awaitable[words.WordsPage | None]], add: AddWords) -> int:
    found, beyond = 0, ""
    while page := await after(db, beyond, AT_ONCE):

        async def body(tx: Transaction, missing: Sequence[str] = page.missing) -> None:
            for each in missing:
                await add(tx, each)

        if page.missing:
            await db.write(body)
        found, beyond = found + len(page.missing), page.last
    return found


async def _of_account(tx: Transaction, account_id: str) -> None:
    account = await directory.account(tx, account_id)
    if account is not None:
        await words.set_account_words(tx, account)


async def _of_group(tx: Transaction, group_id: str) -> None:
    group = await directory.find_group(tx, group_id)
    if group is not None:
        await words.set_group_words(tx, group)
