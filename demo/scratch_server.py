"""`make serve`: a scratch server in build/serve that starts again when its source changes.

``python -m demo.scratch_server [PLACE [SOURCE]]``. The home directory, its ports and the administrators' password are made at the
first call and stay; remove PLACE to begin anew. A source that does not load ends the server, and the next change starts it again.
"""

from __future__ import annotations

import os
import random
import secrets
import signal
import subprocess
import sys
import time
from pathlib import Path

from demo.ports import free_among

ROOT = Path(__file__).parents[1]
SEALWRIGHT = Path(sys.executable).parent / "sealwright"
ADMINISTRATORS = ("admin", "idm_admin")
PREFERRED = {"people": 8443, "machines": 9443, "status": 8080}
WATCHED = frozenset({".py", ".html", ".css", ".js", ".svg"})
LOOK_EVERY = 0.5


class ScratchServer:
    """One home directory and the server process that works on it."""

    def __init__(self, place: Path, source: Path) -> None:
        self._place = place
        self._source = source
        self._home = place / "home"
        self._password_file = place / "password"
        self._process: subprocess.Popen[bytes] | None = None
        self._environment = {k: v for k, v in os.environ.items() if not k.startswith("SEALWRIGHT_")}

    def set_up(self) -> None:
        """Make what is not there yet."""
        if (self._home / "settings.toml").exists() and self._password_file.exists():
            return
        self._place.mkdir(parents=True, exist_ok=True)
        self._password_file.touch(mode=0o600)
        self._password_file.write_text(f"{secrets.token_urlsafe(12)}\n")
        listeners = [word for name, port in _ports().items() for word in (f"--{name}", f"localhost:{port}")]
        self._command("init", "--dir", self._home, "--name", "Scratch", *listeners)
        for name in ADMINISTRATORS:
            self._command("recover-account", name, "--dir", self._home, "--password-file", self._password_file)

    def start(self) -> None:
        """Start the server, and say how to sign in."""
        self._process = subprocess.Popen([SEALWRIGHT, "serve", "--dir", self._home], env=self._environment)
        names = " or ".join(ADMINISTRATORS)
        print(f"  Sign in as {names} with the password {self._password_file.read_text().strip()}", flush=True)
        print(f"  For commands: export SEALWRIGHT_HOME={self._home}", flush=True)

    def stop(self) -> None:
        """End the server, in order."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait()
        self._process = None

    def serve(self) -> None:
        """Serve until interrupted."""
        self.set_up()
        seen = self._state()
        self.start()
        try:
            while True:
                time.sleep(LOOK_EVERY)
                now = self._state()
                if self._process is not None and self._process.poll() is not None:
                    print(f"✘ The server ended with {self._process.returncode}; the next change starts it again.", flush=True)
                    self._process = None
                if now != seen:
                    changed = sorted(str(path) for path, _ in now ^ seen)
                    print(f"↻ {changed[0]} changed", flush=True)
                    seen = now
                    self.stop()
                    self.start()
        except KeyboardInterrupt:
            pass
        finally:
            self.stop()

    def _state(self) -> frozenset[tuple[Path, int]]:
        """Every watched file and when it was written."""
        found = set()
        for path in self._source.rglob("*"):
            if path.suffix in WATCHED:
                try:
                    found.add((path, path.stat().st_mtime_ns))
                except FileNotFoundError:  # an editor replaces files by renaming
                    continue
        return frozenset(found)

    def _command(self, *arguments: str | Path) -> None:
        done = subprocess.run(
            [SEALWRIGHT, *arguments], env=self._environment, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
        )
        if done.returncode != 0:
            sys.exit(f"sealwright {' '.join(map(str, arguments))}\n{done.stdout}{done.stderr}")


def _ports() -> dict[str, int]:
    """The ports that the documentation shows where they are free, others where not."""
    found: dict[str, int] = {}
    for name, port in PREFERRED.items():
        others = random.sample(range(12_000, 32_000), 1_000)
        found[name] = free_among([port, *(other for other in others if other not in found.values())], 1)[0]
    return found


def main() -> None:
    """Serve until SIGINT or SIGTERM."""
    for ending in (signal.SIGINT, signal.SIGTERM):  # SIGINT is ignored where a shell started this in the background
        signal.signal(ending, signal.default_int_handler)
    given = [Path(word) for word in sys.argv[1:]]
    place = given[0] if given else ROOT / "build" / "serve"
    source = given[1] if len(given) > 1 else ROOT / "src" / "sealwright"
    ScratchServer(place, source).serve()


if __name__ == "__main__":
    main()
