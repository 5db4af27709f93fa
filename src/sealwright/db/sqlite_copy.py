"""A copy of a SQLite database on which no one works at the moment."""

from __future__ import annotations

import os
from pathlib import Path

import apsw

from sealwright.db.errors import empty, unusable


def copy_sqlite(source: Path, target: Path) -> None:
    """Make the file `target`, readable by its owner only, with what the database in `source` holds, its log included."""
    url = f"sqlite:///{source}"
    if not source.exists():
        raise empty(url)
    os.close(os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    try:
        of, into = apsw.Connection(os.fspath(source), flags=apsw.SQLITE_OPEN_READWRITE), apsw.Connection(os.fspath(target))
        with into.backup("main", of, "main") as copy:
            copy.step()
        into.close()
        of.close()
    except (OSError, apsw.Error) as cause:
        raise unusable(cause, url) from cause
