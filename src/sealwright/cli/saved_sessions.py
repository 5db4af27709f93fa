"""What a sign-in leaves behind on this machine: which server, which roots, which sessions.

``servers.json`` is in the configuration directory (XDG_CONFIG_HOME); ``sessions.json`` holds session tokens, is in the state
directory (XDG_STATE_HOME) and is readable by its owner only.
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from sealwright.cli.errors import CommandFailed
from sealwright.cli.files import write_private

_WHERE_TO = "Set HOME, or XDG_CONFIG_HOME and XDG_STATE_HOME."


class SavedServer(NamedTuple):
    """A server with a saved session."""

    url: str
    roots_pem: str
    """The roots that were trusted then; empty for those of the operating system."""
    name: str
    """Who signed in last."""


class SavedSession(NamedTuple):
    """A session of a terminal."""

    url: str
    name: str
    token: str
    expires_at: str


class SavedSessions:
    """The two files. Each change reads, changes and replaces a file under a lock."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    @property
    def _servers(self) -> Path:
        return self._within("XDG_CONFIG_HOME", ".config") / "servers.json"

    @property
    def _sessions(self) -> Path:
        return self._within("XDG_STATE_HOME", ".local/state") / "sessions.json"

    def _within(self, variable: str, usual: str) -> Path:
        """The directory that `variable` names, else the usual one of the user; raises CommandFailed where there is no user."""
        from sealwright.settings.paths import expanded

        try:
            place = self._environ.get(variable) or expanded(self._environ.get("HOME") or "~") / usual
        except ValueError as cause:
            detail = f"The directory for what a sign-in leaves behind {cause}."
            raise CommandFailed(detail, hint=_WHERE_TO) from None
        return Path(place) / "sealwright"

    def require_place(self) -> None:
        """Raise CommandFailed where a sign-in could leave nothing behind, because the user's directories are unknown."""
        _ = self._servers, self._sessions

    def _has_place(self) -> bool:
        try:
            return bool(self._servers)
        except CommandFailed:
            return False

    def server(self, url: str | None = None) -> SavedServer | None:
        """The server at `url`, or the one of the last sign-in; None also where no sign-in can leave anything behind."""
        known = _read(self._servers) if self._has_place() else {}
        chosen = str(url or known.get("last"))
        entry = known.get("servers", {}).get(chosen)
        return None if entry is None else SavedServer(chosen, entry.get("roots", ""), entry.get("name", ""))

    def sessions(self) -> list[SavedSession]:
        """Every session, by server and name."""
        return [
            SavedSession(url, name, entry["token"], entry["expires_at"])
            for url, names in sorted(_read(self._sessions).items())
            for name, entry in sorted(names.items())
        ]

    def session(self, url: str, name: str) -> SavedSession | None:
        """The session of `name` (with or without a domain) on a server."""
        short = name.partition("@")[0]
        return next((each for each in self.sessions() if each.url == url and each.name.partition("@")[0] == short), None)

    def signed_in(self, session: SavedSession, roots_pem: str) -> None:
        """Keep a new session and make its server and account the ones of the last sign-in."""

        def add_server(known: dict[str, Any]) -> None:
            known["last"] = session.url
            known.setdefault("servers", {})[session.url] = {"roots": roots_pem, "name": session.name}

        def add_session(known: dict[str, Any]) -> None:
            known.setdefault(session.url, {})[session.name] = {"token": session.token, "expires_at": session.expires_at}

        _change(self._sessions, add_session)
        _change(self._servers, add_server)

    def trusted(self, url: str, roots_pem: str) -> None:
        """Keep the roots of a server, and make it the one of the last sign-in where there is no other."""

        def add_server(known: dict[str, Any]) -> None:
            entry = known.setdefault("servers", {}).setdefault(url, {"name": ""})
            entry["roots"] = roots_pem
            known.setdefault("last", url)

        _change(self._servers, add_server)

    def signed_out(self, session: SavedSession) -> None:
        """Forget a session."""

        def remove(known: dict[str, Any]) -> None:
            known.get(session.url, {}).pop(session.name, None)
            if not known.get(session.url):
                known.pop(session.url, None)

        _change(self._sessions, remove)


def _read(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except NotADirectoryError as cause:
        in_the_way = next(each for each in file.parents if each.exists())
        detail = f"{in_the_way} is not a directory."
        raise CommandFailed(detail, hint="What a sign-in leaves behind is kept in it. Move the file away.") from cause
    except (OSError, ValueError) as cause:
        raise CommandFailed(f"{file} cannot be read.", hint="Remove the file and sign in again.") from cause
    if not isinstance(content, dict):
        raise CommandFailed(f"{file} does not hold what it should.", hint="Remove the file and sign in again.")
    return content


def _change(file: Path, change: Callable[[dict[str, Any]], None]) -> None:
    with _lock(file):
        content = _read(file)
        change(content)
        write_private(file, json.dumps(content, indent=1).encode() + b"\n")


@contextmanager
def _lock(file: Path) -> Iterator[None]:
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = file.with_suffix(".lock").open("wb")
    except OSError as cause:
        raise CommandFailed(f"{file} cannot be written: {(cause.strerror or '').lower()}.") from cause
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
