"""Statements are written once with SQLAlchemy Core and compiled once per engine to text.

Executing Core costs four to eight times a raw query; the text runs on the drivers (apsw, asyncpg) directly.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import Column, Dialect, Table
from sqlalchemy.dialects import sqlite
from sqlalchemy.sql.elements import CompilerElement

if TYPE_CHECKING:
    from sqlalchemy.sql.compiler import SQLCompiler

_SQLITE = sqlite.dialect(paramstyle="qmark")


class Compiled:
    """A statement as one engine reads it: text, and which value goes to which place."""

    def __init__(self, compiled: SQLCompiler) -> None:
        self.text = str(compiled)
        self._names = tuple(compiled.positiontup or ())
        self._own = {name: value for name, value in compiled.params.items() if value is not None}

    def arguments(self, given: Mapping[str, Any]) -> list[Any]:
        """The values in the order of the text's places: those that are given, else the statement's own."""
        own = self._own
        return [given[name] if name in given else own[name] for name in self._names]


class Statement:
    """One statement with named parameters. Make it once, as a module constant of a `store.py`."""

    def __init__(self, core: CompilerElement, *, postgresql: Callable[[], CompilerElement] | None = None) -> None:
        """`postgresql`: makes the form for that engine where the two differ (conflict clauses)."""
        self._core = core
        self._make_postgresql = postgresql

    @cached_property
    def for_sqlite(self) -> Compiled:
        """With a ``?`` at each place."""
        return Compiled(cast("SQLCompiler", self._core.compile(dialect=_SQLITE)))

    @cached_property
    def for_postgresql(self) -> Compiled:
        """With ``$1`` and so on at the places."""
        core = self._core if self._make_postgresql is None else self._make_postgresql()
        return Compiled(cast("SQLCompiler", core.compile(dialect=_postgresql())))


def insert_once(table: Table, *, returning: Column[Any]) -> Statement:
    """Insert a row unless its key is there already; returns `returning` only when the row is new. This consumes."""

    def for_postgresql() -> CompilerElement:
        from sqlalchemy.dialects import postgresql  # noqa: PLC0415 - a tenth of a second that SQLite does not need

        return postgresql.insert(table).on_conflict_do_nothing().returning(returning)

    return Statement(sqlite.insert(table).on_conflict_do_nothing().returning(returning), postgresql=for_postgresql)


def upsert(table: Table, *, key: Sequence[str], update: Sequence[str]) -> Statement:
    """Insert a row, or where `key` is there already, set the columns `update` to the new values."""

    def for_postgresql() -> CompilerElement:
        from sqlalchemy.dialects import postgresql  # noqa: PLC0415 - as above

        insert = postgresql.insert(table)
        return insert.on_conflict_do_update(index_elements=list(key), set_={name: insert.excluded[name] for name in update})

    insert = sqlite.insert(table)
    return Statement(
        insert.on_conflict_do_update(index_elements=list(key), set_={name: insert.excluded[name] for name in update}),
        postgresql=for_postgresql,
    )


@cache
def _postgresql() -> Dialect:
    from sqlalchemy.dialects.postgresql import asyncpg  # noqa: PLC0415 - as above

    dialect: Dialect = asyncpg.dialect()  # type: ignore[no-untyped-call] # not annotated upstream
    return dialect
