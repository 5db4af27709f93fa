"""Statements are written once with SQLAlchemy Core and compiled once per engine to text.

Executing Core costs four to eight times a raw query; the text runs on the drivers (apsw, asyncpg) directly.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, cast

from sqlalchemy import Column, Dialect, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import asyncpg as postgresql_asyncpg
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import CompilerElement

_SQLITE = sqlite.dialect(paramstyle="named")
_POSTGRESQL: Dialect = postgresql_asyncpg.dialect()  # type: ignore[no-untyped-call] # not annotated upstream


class Statement:
    """One statement with named parameters. Make it once, as a module constant of a `store.py`."""

    def __init__(self, core: CompilerElement, *, postgresql: CompilerElement | None = None) -> None:
        """`postgresql`: the form for that engine where the two differ (conflict clauses)."""
        self._core = core
        self._postgresql = core if postgresql is None else postgresql

    @cached_property
    def for_sqlite(self) -> tuple[str, dict[str, Any]]:
        """Text with ``:name`` parameters, and the parameters that have a value of their own."""
        compiled = self._core.compile(dialect=_SQLITE)
        return str(compiled), {name: value for name, value in compiled.params.items() if value is not None}

    @cached_property
    def for_postgresql(self) -> tuple[str, tuple[str, ...], dict[str, Any]]:
        """Text with ``$1`` parameters, their names in order, and the parameters that have a value of their own."""
        compiled = cast("SQLCompiler", self._postgresql.compile(dialect=_POSTGRESQL))
        own = {name: value for name, value in compiled.params.items() if value is not None}
        return str(compiled), tuple(compiled.positiontup or ()), own


def insert_once(table: Table, *, returning: Column[Any]) -> Statement:
    """Insert a row unless its key is there already; answers `returning` only when the row is new. This consumes."""
    return Statement(
        sqlite.insert(table).on_conflict_do_nothing().returning(returning),
        postgresql=postgresql.insert(table).on_conflict_do_nothing().returning(returning),
    )


def upsert(table: Table, *, key: Sequence[str], update: Sequence[str]) -> Statement:
    """Insert a row, or where `key` is there already, set the columns `update` to the new values."""
    for_sqlite = sqlite.insert(table)
    for_postgresql = postgresql.insert(table)
    return Statement(
        for_sqlite.on_conflict_do_update(index_elements=list(key), set_={name: for_sqlite.excluded[name] for name in update}),
        postgresql=for_postgresql.on_conflict_do_update(
            index_elements=list(key), set_={name: for_postgresql.excluded[name] for name in update}
        ),
    )
