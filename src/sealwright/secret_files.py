"""Files that hold a secret: readable only by their owner and by a group of this process."""

from __future__ import annotations

import os
import stat
from pathlib import Path

LONGEST_SECRET = 1_024


def beyond_own_group(status: os.stat_result) -> int:
    """The permission bits of a file that let users in who are neither its owner nor in a group of this process.

    A container's volume may give every file to the group that the server runs with.
    """
    own = status.st_gid in {os.getegid(), *os.getgroups()}
    return stat.S_IMODE(status.st_mode) & (0o007 if own else 0o077)


def read_secret_line(file: Path) -> str:
    """The one line that a file holds; ValueError says what is wrong with it, as the end of a sentence about the file."""
    try:
        with file.open("rb") as stream:
            status = os.fstat(stream.fileno())
            content = stream.read(LONGEST_SECRET + 1)
    except OSError as cause:
        raise ValueError(f"cannot be read: {cause.strerror}") from cause
    if beyond_own_group(status):
        raise ValueError(f"can be read or changed by others (mode {stat.S_IMODE(status.st_mode):04o}); run chmod 600 on it")
    try:
        secret = content.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        secret = ""
    if not secret.isprintable() or not 1 <= len(content) <= LONGEST_SECRET or not secret:
        raise ValueError(f"must hold one line of 1 to {LONGEST_SECRET} characters")
    return secret
