"""A database that cannot be used: which, why, and what to do, whatever driver noticed."""

from __future__ import annotations

import errno

from sealwright.db.urls import sqlite_file
from sealwright.errors import Conflict, Unavailable

_ROOM = "Make room on its disk."
_RIGHTS = "Whoever runs this must be allowed to read and write it, and to make files beside it."
_ROLE = "Let its role make tables: have it own the database, or grant it CREATE on the schema."
_BACKUP = "Bring it back from your backup. Where it is the wrong one, correct database_url or SEALWRIGHT_DATABASE_URL."
_WHERE = "See database_url in settings.toml, or SEALWRIGHT_DATABASE_URL where that is set"

_BY_SQLITE_CODE = {3: _RIGHTS, 8: _RIGHTS, 11: _BACKUP, 13: _ROOM, 14: _RIGHTS, 23: _RIGHTS, 26: _BACKUP}
"""Primary result code → what to do: PERM, READONLY, CORRUPT, FULL, CANTOPEN, AUTH, NOTADB."""
_BY_SQLSTATE = {"42501": _ROLE, "3F000": _ROLE, "53100": _ROOM}
"""insufficient_privilege, invalid_schema_name (none that the role may use), disk_full."""
_BY_ERRNO = {errno.EACCES: _RIGHTS, errno.EPERM: _RIGHTS, errno.EROFS: _RIGHTS, errno.ENOSPC: _ROOM, errno.EDQUOT: _ROOM}


def unusable(cause: Exception, url: str) -> Unavailable:
    """What `cause`, an error of a driver or of the system, means for who wants to use the database at `url`."""
    told = (cause.strerror if isinstance(cause, OSError) else "") or str(cause)
    reason = (told.splitlines() or [type(cause).__name__])[0].rstrip(".")
    return Unavailable(f"{_which(url)} cannot be used: {reason}.", hint=_hint(cause, url))


class SchemaTooNew(Conflict):
    """The database was written by a newer program."""

    code = "schema_too_new"


class DatabaseEmpty(Conflict):
    """The database of a server is not there, or holds nothing."""

    code = "database_empty"


def empty(url: str) -> DatabaseEmpty:
    """The failure of a database at `url` that holds nothing where it should hold a server."""
    file = sqlite_file(url)
    lost = file is not None and not file.exists()
    return DatabaseEmpty(f"{_which(url)} is {'missing' if lost else 'empty'}.", hint=_BACKUP)


def _which(url: str) -> str:
    file = sqlite_file(url)
    return "The database" if file is None else f"The database {file}"


def _hint(cause: Exception, url: str) -> str:
    if sqlite_file(url) is None:
        known = _BY_SQLSTATE.get(getattr(cause, "sqlstate", None) or "")
        return known or f"{_WHERE}, and whether the database runs."
    code = getattr(cause, "result", None) or getattr(cause, "sqlite_errorcode", 0)
    if isinstance(code, int) and code & 0xFF in _BY_SQLITE_CODE:
        return _BY_SQLITE_CODE[code & 0xFF]
    if isinstance(cause, OSError) and cause.errno in _BY_ERRNO:
        return _BY_ERRNO[cause.errno]
    return f"{_WHERE}."
