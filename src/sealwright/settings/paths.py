"""Paths as they are typed."""

from __future__ import annotations

import os
from pathlib import Path


def expanded(path: str | Path) -> Path:
    """The path with a ``~`` at its beginning replaced; ValueError, with the end of a sentence, if its user is unknown.

    A container may run as a user that the system has never heard of, without HOME.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError:
        first = Path(path).parts[0]
        if first != "~":
            raise ValueError(f"begins with {first}, and the system knows no such user") from None
        raise ValueError(f"is not known: HOME is not set, and the system knows no user {os.geteuid()}") from None
