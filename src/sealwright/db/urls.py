"""Where a database is, and how it is reached, as its URL says."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from sealwright.settings.forms import TRANSACTION_POOLING

_SQLITE = "sqlite:///"
POOLED = f"pgbouncer={TRANSACTION_POOLING}"
"""The parameter by which a pooler is announced that gives each transaction another connection."""


class PostgresqlAddress(NamedTuple):
    """Where a database of PostgreSQL is."""

    url: str
    """As the driver takes it."""
    pooled: bool
    """Whether each transaction may get another connection."""


def sqlite_file(url: str) -> Path | None:
    """The file of a SQLite database; None for one of PostgreSQL."""
    return Path(url.removeprefix(_SQLITE)) if url.startswith(_SQLITE) else None


def postgresql_address(url: str) -> PostgresqlAddress:
    """Take out of a URL the parameter that the driver does not know."""
    place, _, query = url.partition("?")
    others = "&".join(each for each in query.split("&") if each != POOLED)
    return PostgresqlAddress(f"{place}?{others}" if others else place, pooled=POOLED in query.split("&"))
