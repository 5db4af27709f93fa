"""A database in memory: each start of a server begins with what the file in the home directory holds, and leaves that as it is.

It is a file of a file system that lies in memory, so that several workers share it, and commands on the same machine reach it
by a link in the home directory.
"""

from __future__ import annotations

import dataclasses
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sealwright.app.home import Home
from sealwright.db import copy_sqlite, sqlite_file
from sealwright.settings import Settings, load

_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - no file is made in it, only a directory of our own
_PREFIX = "sealwright-memory-"


def is_in_memory(settings: Settings, home: Home) -> bool:
    """Whether the server of this home keeps its database in memory."""
    return sqlite_file(settings.database_url) == home.memory / home.database_file.name


def on_disk(settings: Settings, home: Home) -> Settings:
    """The same settings with the file that a database in memory begins with; other settings as they are."""
    if not is_in_memory(settings, home):
        return settings
    return dataclasses.replace(settings, database_url=f"sqlite:///{home.database_file}")


@contextmanager
def in_memory(home: Home) -> Iterator[None]:
    """Have the database in memory as long as the block runs, where the settings ask for that."""
    _forget(home)
    if not is_in_memory(load(home.path), home):
        yield
        return
    room = _SHARED_MEMORY if os.access(_SHARED_MEMORY, os.W_OK) else None
    place = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=room))
    try:
        copy_sqlite(home.database_file, place / home.database_file.name)
        home.memory.symlink_to(place)
        yield
    finally:
        home.memory.unlink(missing_ok=True)
        shutil.rmtree(place)


def _forget(home: Home) -> None:
    """Remove what a server left behind that was killed."""
    if home.memory.is_symlink():
        left = home.memory.readlink()
        if left.name.startswith(_PREFIX):
            with suppress(FileNotFoundError):
                shutil.rmtree(left)
        home.memory.unlink()
