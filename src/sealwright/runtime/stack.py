"""The stack of a worker that does not answer: it writes it at a signal, however busy it is, and its parent reads it.

Only files, lines and names of functions are written, never a value.
"""

from __future__ import annotations

import faulthandler
import os
import signal

_LONGEST = 8_192
_SIGNAL = signal.SIGUSR1


class Stack:
    """Of one worker; made before the fork, for both sides."""

    def __init__(self) -> None:
        self._file = os.memfd_create("stack", os.MFD_CLOEXEC)
        self._read = 0

    def offer(self) -> None:
        """In the worker: write the stack whenever it is asked for."""
        faulthandler.register(_SIGNAL, file=self._file, all_threads=True)

    def ask(self, pid: int) -> None:
        """In the parent: ask for the stack. It is there a moment later, unless the worker stands still in the kernel."""
        os.kill(pid, _SIGNAL)

    def take(self) -> list[str]:
        """What the worker has written since this was last called, the innermost call first."""
        written = os.pread(self._file, _LONGEST, self._read)
        self._read = os.fstat(self._file).st_size
        return [line.strip() for line in written.decode("utf-8", "replace").splitlines() if line.strip()]

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)
