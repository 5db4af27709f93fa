"""Checkpoints of SQLite's write-ahead log: beside the transactions, and not within the commit that makes the log too long.

SQLite's own checkpoint runs inside of a commit after a thousand pages. Every request of that moment waits for it, and a page that
is written again and again, as the last page of a table is, goes into the database file each time. With a longer log there are
fewer checkpoints, each page goes there once for many commits, and what a checkpoint takes happens on another thread.
"""

from __future__ import annotations

import asyncio
import fcntl
import os

import apsw

LONG = 4_000
"""Pages (16 MiB) from which on the log is put into the database file."""
_FEW = 200
"""Pages that are put there while others wait for the lock: some milliseconds."""
_ATTEMPTS = 5


class WriteAheadLog:
    """The log of one database, as one process sees it grow."""

    def __init__(self, connection: apsw.Connection, lock: int) -> None:
        """`connection`: for nothing else. `lock`: a descriptor of its own of the file that processes lock to write."""
        self._connection = connection
        self._lock = lock
        self._pages = 0
        self._running: asyncio.Future[None] | None = None

    def watch(self, writer: apsw.Connection) -> None:
        """Learn how long the log is at each commit of `writer`, which makes no checkpoints of its own any more."""
        writer.set_wal_hook(self._note)

    def _note(self, _connection: apsw.Connection, _name: str, pages: int) -> int:
        self._pages = pages
        return apsw.SQLITE_OK

    def shorten_if_long(self) -> None:
        """Begin a checkpoint on a thread where the log is long; transactions go on meanwhile."""
        if self._pages < LONG or (self._running is not None and not self._running.done()):
            return
        self._pages = 0
        self._running = asyncio.get_running_loop().run_in_executor(None, self._checkpoint)

    def _checkpoint(self) -> None:
        """While others write, until few pages are left; those under their lock: SQLite begins the log anew when none is left.

        What fails (another process is at it, the disk is full) is tried again after the next commit.
        """
        try:
            for _ in range(_ATTEMPTS):
                _, done = self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
                if self._pages - done < _FEW:
                    break
            fcntl.flock(self._lock, fcntl.LOCK_EX)
            try:
                self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
            finally:
                fcntl.flock(self._lock, fcntl.LOCK_UN)
        except apsw.Error:
            return

    async def close(self) -> None:
        """Wait for a checkpoint that is under way, and let go of connection and lock."""
        if self._running is not None:
            await self._running
        await asyncio.get_running_loop().run_in_executor(None, self._connection.close)
        os.close(self._lock)
