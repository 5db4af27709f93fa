"""One bash session for all commands of a page, with someone at hand who signs in when an address is printed."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

_AUTHORIZATION = re.compile(r"https://\S+/oauth2/authorise\?\S+[^\s).]")
_END = "--- end of block"
_PATIENCE = 300.0

SignIn = Callable[[str], None]
"""Opens the address that a program printed, signs in, allows."""


class Shell:
    """Runs blocks of commands one after the other, in the same bash; the first command that fails ends it."""

    def __init__(self, place: Path, environment: Mapping[str, str], sign_in: SignIn) -> None:
        self._place = place
        self._sign_in = sign_in
        self._count = 0
        self._process = subprocess.Popen(
            ["bash", "--noprofile", "--norc", "-s"],
            env=dict(environment),
            cwd=place,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            bufsize=1,
            start_new_session=True,
        )
        self._type("set -e -o pipefail")

    def run(self, commands: str) -> str:
        """Run a block; what it and programs in the background printed. AssertionError where a command fails or hangs."""
        self._count += 1
        script = self._place.parent / f"block-{self._count}.sh"
        script.write_text(commands, encoding="utf-8")
        self._type(f"source '{script}' </dev/null; printf '\\n%s\\n' '{_END}'")
        stopper = threading.Timer(_PATIENCE, self.stop)
        stopper.start()
        printed = ""
        try:
            for line in self._process.stdout or ():
                if line.rstrip("\n") == _END:
                    return printed
                printed += line
                address = _AUTHORIZATION.search(line)
                if address:
                    self._sign_in(address[0])
        finally:
            stopper.cancel()
        raise AssertionError(f"the commands did not come to their end:\n{commands}\n--- printed:\n{printed}")

    def stop(self) -> None:
        """End bash and everything that was started in it."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            end = time.monotonic() + 15
            while time.monotonic() < end:
                self._process.poll()
                try:
                    os.killpg(self._process.pid, number)
                except ProcessLookupError:
                    break
                time.sleep(0.2)
        self._process.kill()
        self._process.wait()
        for stream in filter(None, (self._process.stdin, self._process.stdout)):
            with suppress(OSError):  # what was not flushed has no one to go to
                stream.close()

    def _type(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()


@contextmanager
def shell(place: Path, environment: Mapping[str, str], sign_in: SignIn) -> Iterator[Shell]:
    """A shell in a new directory below `place`, with a home directory beside it."""
    for name in ("user", "work"):
        (place / name).mkdir(parents=True)
    given = {"PATH": os.environ["PATH"], "HOME": str(place / "user"), "LANG": "C.UTF-8", "STEP_OPEN_BROWSER": "0", **environment}
    session = Shell(place / "work", given, sign_in)
    try:
        yield session
    finally:
        session.stop()
