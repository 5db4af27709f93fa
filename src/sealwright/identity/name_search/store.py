"""The only SQL about words. What is found is one range of the primary key for each term, on both engines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, Table, bindparam, delete, exists, func, insert, select

from sealwright.db import Database, Statement, Transaction
from sealwright.db.schema import account_words, accounts, group_words, groups
from sealwright.identity.models import Account, Group
from sealwright.identity.name_search.words import words_of_account, words_of_group

_BEYOND_ALL_TEXT = b"\xff"  # no byte of UTF-8 is as great
_p = bindparam
_INSERT_OF_ACCOUNT = Statement(insert(account_words))
_INSERT_OF_GROUP = Statement(insert(group_words))
_DELETE_OF_ACCOUNT = Statement(delete(account_words).where(account_words.c.account_id == _p("of")))
_DELETE_OF_GROUP = Statement(delete(group_words).where(group_words.c.group_id == _p("of")))


async def set_account_words(tx: Transaction, account: Account) -> None:
    """Store the words of an account in place of those that it had."""
    await tx.run(_DELETE_OF_ACCOUNT, of=account.id)
    await tx.run_many(_INSERT_OF_ACCOUNT, rows_of(account))


async def set_group_words(tx: Transaction, group: Group) -> None:
    """Store the words of a group in place of those that it had."""
    await tx.run(_DELETE_OF_GROUP, of=group.id)
    many = [{"word": word, "name": group.name, "group_id": group.id} for word in words_of_group(group)]
    await tx.run_many(_INSERT_OF_GROUP, many)


def rows_of(account: Account) -> list[dict[str, Any]]:
    """The rows of the words of an account."""
    words = words_of_account(account)
    return [{"kind": str(account.kind), "word": word, "name": account.name, "account_id": account.id} for word in words]


BROAD = 20_000
"""This many words are sorted in some milliseconds. With a term that begins more, names are looked through: many of them fit."""


_of_kind = account_words.c.kind == _p("kind")
_begins_so = account_words.c.word.between(_p("first_0"), _p("end_0"))
_counted = select(account_words.c.name).where(_of_kind, _begins_so).limit(_p("at_most")).subquery("counted")
_COUNT_ACCOUNTS = Statement(select(func.count()).select_from(_counted))


async def fewest_first(reader: Database | Transaction, kind: str, terms: Sequence[bytes]) -> tuple[list[bytes], int]:
    """The terms, first the one with which the fewest words of accounts begin; and with how many of them not very many begin."""
    counts = {}
    for term in terms:
        row = await reader.one(_COUNT_ACCOUNTS, kind=kind, at_most=BROAD, **given([term]))
        counts[term] = 0 if row is None else row[0]
    return sorted(terms, key=lambda term: counts[term]), sum(count < BROAD for count in counts.values())


def accounts_in_order(terms: int) -> Select[Any]:
    """The same as `accounts_called`, by looking at one name after the other."""
    words = [account_words.alias(f"word_{number}") for number in range(terms)]
    has = [exists().where(each.c.account_id == accounts.c.id, _begins(each, number)) for number, each in enumerate(words)]
    in_order = select(accounts.c.name).where(accounts.c.kind == _p("kind"), accounts.c.name > _p("beyond"), *has)
    return in_order.order_by(accounts.c.name).limit(_p("at_most"))


def accounts_called(terms: int, narrow: int) -> Select[Any]:
    """Names of accounts of a kind with so many terms, after the name `beyond`; not very many fit the first `narrow` ones."""
    listed = [account_words.alias(f"listed_{number}") for number in range(narrow)]
    fitting = [
        account_words.c.name.in_(select(each.c.name).where(each.c.kind == _p("kind"), _begins(each, number)))
        for number, each in enumerate(listed)
        if number
    ]
    called = _called(account_words, account_words.c.account_id, terms, looked_up=max(1, narrow))
    return called.where(account_words.c.kind == _p("kind"), *fitting)


def groups_called(terms: int) -> Select[Any]:
    """Names of groups with so many terms, after the name `beyond`."""
    return _called(group_words, group_words.c.group_id, terms)


def given(terms: Sequence[bytes]) -> dict[str, bytes]:
    """The parameters of the terms."""
    firsts = {f"first_{number}": term for number, term in enumerate(terms)}
    return firsts | {f"end_{number}": term + _BEYOND_ALL_TEXT for number, term in enumerate(terms)}


def _called(words: Table, owner: ColumnElement[str], terms: int, *, looked_up: int = 1) -> Select[Any]:
    others = [words.alias(f"other_{number}") for number in range(looked_up, terms)]
    return (
        select(words.c.name)
        .where(
            _begins(words, 0),
            words.c.name > _p("beyond"),
            *(
                exists().where(other.c[owner.name] == owner, _begins(other, number))
                for number, other in enumerate(others, start=looked_up)
            ),
        )
        .distinct()
        .order_by(words.c.name)
        .limit(_p("at_most"))
    )


def _begins(words: Any, number: int) -> ColumnElement[bool]:
    begins: ColumnElement[bool] = words.c.word.between(_p(f"first_{number}"), _p(f"end_{number}"))
    return begins


# --- what has no words yet -------------------------------------------------------------------------------------------


class WordsPage(NamedTuple):
    """Some ids, and which of them have no words."""

    last: str
    missing: list[str]


def _page(table: Table, words: Table, owner: str) -> Statement:
    ids = select(table.c.id, table.c.name).where(table.c.id > _p("beyond")).order_by(table.c.id).limit(_p("at_most"))
    page = ids.subquery("page")
    has = exists().where(words.c[owner] == page.c.id, words.c.name == page.c.name)
    return Statement(select(page.c.id, has).order_by(page.c.id))


_ACCOUNTS = _page(accounts, account_words, "account_id")
_GROUPS = _page(groups, group_words, "group_id")


async def accounts_after(db: Database, beyond: str, at_most: int) -> WordsPage | None:
    """The next accounts after an id; None where there is none."""
    return _read(await db.all(_ACCOUNTS, beyond=beyond, at_most=at_most))


async def groups_after(db: Database, beyond: str, at_most: int) -> WordsPage | None:
    """The next groups after an id; None where there is none."""
    return _read(await db.all(_GROUPS, beyond=beyond, at_most=at_most))


def _read(rows: list[tuple[Any, ...]]) -> WordsPage | None:
    return WordsPage(rows[-1][0], [row[0] for row in rows if not row[1]]) if rows else None
