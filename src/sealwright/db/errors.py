"""What an error of a database driver means: why the database cannot be used, and what to do. One table for each engine."""

from __future__ import annotations

import errno
from typing import NamedTuple

from sealwright.db.urls import POOLED, sqlite_file
from sealwright.errors import Conflict, Unavailable
from sealwright.settings.file import MEMORY

_ROOM = "Make room on its disk."
_RIGHTS = "The user of this process must be allowed to read and write it, and to make files beside it."
_ROLE = "Let its role make tables: have it own the database, or grant it CREATE on the schema."
_BACKUP = "Bring it back from your backup. Where it is the wrong one, correct database_url or SEALWRIGHT_DATABASE_URL."
_ONLY_WHILE_SERVING = "A database in memory is there while its server runs: start it with sealwright serve."
_WHERE = "See database_url in settings.toml, or SEALWRIGHT_DATABASE_URL where that is set"
_DISK = "Look at the disk and at the system's log: something there does not work."
_BUSY = "Find the program that works with the database file at the same time, and end it."
_LOGS = "The log of the database tells more."
_STANDBY = "Point database_url at the server that accepts writes; with several hosts in it, add ?target_session_attrs=read-write."
_POOLER = f"Behind PgBouncer in transaction mode, database_url must end in ?{POOLED}."
_FEWER = "Raise max_connections of the database (or the limit of the role or the pool), or run fewer nodes or workers."


class Trouble(NamedTuple):
    """Why a database cannot be used."""

    state: str
    """The end of the sentence "The database …"."""
    hint: str


_UNREACHABLE = Trouble("cannot be reached at the moment", f"{_WHERE}, and whether the database runs.")

READ_ONLY = Trouble("cannot be written: it is read-only", _RIGHTS)
FULL = Trouble("cannot be written: its disk is full", _ROOM)
UNWRITABLE = Trouble("cannot be written at the moment", _LOGS)

_BY_SQLITE_CODE = {
    3: Trouble("cannot be opened: the rights are missing", _RIGHTS),
    5: Trouble("cannot be written at the moment: another program has locked it", _BUSY),
    6: Trouble("cannot be written at the moment: it is locked", _BUSY),
    7: Trouble("cannot be used at the moment: memory ran out", "Give the server more memory."),
    8: READ_ONLY,
    10: Trouble("cannot be read or written: its disk reports an error", _DISK),
    11: Trouble("is damaged", _BACKUP),
    13: FULL,
    14: Trouble("cannot be opened", _RIGHTS),
    15: Trouble("cannot be used at the moment: another program has locked it", _BUSY),
    22: Trouble("cannot grow: the file system does not take files of this size", _ROOM),
    23: Trouble("cannot be opened: the rights are missing", _RIGHTS),
    26: Trouble("is not a database", _BACKUP),
}
"""Primary result code: PERM, BUSY, LOCKED, NOMEM, READONLY, IOERR, CORRUPT, FULL, CANTOPEN, PROTOCOL, NOLFS, AUTH, NOTADB."""

_BY_SQLSTATE = {
    "08": _UNREACHABLE,
    "25006": Trouble("cannot be written: it is read-only", _STANDBY),
    "25P": Trouble("ended a transaction that took too long", _LOGS),
    "26000": Trouble("is behind a pooler that keeps no prepared statements", _POOLER),
    "28": Trouble("refuses the user or the password", f"{_WHERE}."),
    "3D000": Trouble("does not exist", f"{_WHERE}."),
    "3F000": Trouble("has no schema that the role may use", _ROLE),
    "40": Trouble("is too busy at the moment: others change the same rows", _LOGS),
    "42501": Trouble("does not allow this to the role", _ROLE),
    "42P05": Trouble("is behind a pooler that mixes prepared statements", _POOLER),
    "53": Trouble("has no room or memory left", _LOGS),
    "53100": FULL,
    "53300": Trouble("takes no more connections", _FEWER),
    "55P03": Trouble("is locked by another session", "Find who holds a lock: see pg_locks and pg_stat_activity."),
    "57": _UNREACHABLE,
    "57014": Trouble("took too long to respond", _LOGS),
    "57P03": Trouble("is starting up or shutting down", "Wait until it accepts connections."),
    "58": Trouble("cannot be read or written: its system reports an error", _LOGS),
    "F0": Trouble("is not set up as it should be", _LOGS),
    "XX001": Trouble("is damaged", _BACKUP),
    "XX002": Trouble("is damaged", _BACKUP),
}
"""SQLSTATE, or what a class of them begins with. What is not here is a fault in a statement of ours."""
_LONGEST_SQLSTATE = 5

_BY_ERRNO = {errno.EACCES: _RIGHTS, errno.EPERM: _RIGHTS, errno.EROFS: _RIGHTS, errno.ENOSPC: _ROOM, errno.EDQUOT: _ROOM}


def trouble_of_sqlite(cause: Exception) -> Trouble | None:
    """What an error of SQLite's driver means; None where it speaks of a statement of ours."""
    code = getattr(cause, "result", None) or getattr(cause, "sqlite_errorcode", 0)
    return _BY_SQLITE_CODE.get(code & 0xFF) if isinstance(code, int) else None


def trouble_of_postgresql(cause: Exception) -> Trouble | None:
    """What an error of PostgreSQL or of its driver means; None where it speaks of a statement of ours."""
    state = getattr(cause, "sqlstate", None)
    if state is None:
        return _UNREACHABLE
    beginnings = (state[:length] for length in range(_LONGEST_SQLSTATE, 1, -1))
    return next((_BY_SQLSTATE[each] for each in beginnings if each in _BY_SQLSTATE), None)


def unavailable(trouble: Trouble) -> Unavailable:
    """What a request that meets the trouble fails with."""
    return Unavailable(f"The database {trouble.state}.", hint=trouble.hint)


def unusable(cause: Exception, url: str) -> Unavailable:
    """What `cause`, an error of a driver or of the system, means for a command or server that is to use the database at `url`."""
    words = (cause.strerror if isinstance(cause, OSError) else "") or str(cause)
    reason = (words.splitlines() or [type(cause).__name__])[0].rstrip(".")
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
    hint = _ONLY_WHILE_SERVING if file is not None and file.match(f"{MEMORY}/*") else _BACKUP
    return DatabaseEmpty(f"{_which(url)} is {'missing' if lost else 'empty'}.", hint=hint)


def _which(url: str) -> str:
    file = sqlite_file(url)
    return "The database" if file is None else f"The database {file}"


def _hint(cause: Exception, url: str) -> str:
    on_sqlite = sqlite_file(url) is not None
    trouble = trouble_of_sqlite(cause) if on_sqlite else trouble_of_postgresql(cause)
    if trouble is not None:
        return trouble.hint
    if on_sqlite and isinstance(cause, OSError) and cause.errno in _BY_ERRNO:
        return _BY_ERRNO[cause.errno]
    return f"{_WHERE}." if on_sqlite else _UNREACHABLE.hint
