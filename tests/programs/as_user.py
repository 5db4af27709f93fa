"""Run one command of ours as another user: ``python -m tests.programs.as_user UID COMMAND …``, started by root.

The user is changed once everything is loaded that the command needs, because the code may lie where only root may look.
"""

from __future__ import annotations

import io
import os
import sys
import tempfile
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout

from sealwright.__main__ import main


def command(arguments: Sequence[str]) -> int:
    """Run one command; its exit status."""
    sys.argv[1:] = arguments
    try:
        main()
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def load_everything() -> None:
    """What `init`, `doctor` and `whoami` load, they load when they run."""
    with tempfile.TemporaryDirectory() as scratch, redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        for arguments in (
            ["init", "--dir", f"{scratch}/home"],
            ["doctor", "--dir", f"{scratch}/home"],
            ["doctor", "--dir", scratch],
        ):
            command(arguments)
        command(["whoami", "--url", "https://127.0.0.1:1"])


if __name__ == "__main__":
    user, wanted = int(sys.argv[1]), sys.argv[2:]
    load_everything()
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)
    sys.exit(command(wanted))
