"""The home directory of a server: what lies where, and whether it is ours."""

from __future__ import annotations

import fcntl
import os
import shlex
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from msgspec import Struct

from sealwright.errors import Conflict, NotFound, Refused
from sealwright.keys import KEY_FILE
from sealwright.settings import DATABASE_FILE, FILE_NAME, MEMORY, Environment, Settings, home_directory, load

OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
OF_A_VOLUME = frozenset({"lost+found", ".snapshot", ".snapshots", ".zfs", ".keep", ".gitkeep"})
"""Entries of a fresh file system."""
_NAMED = 3


class Making(Struct):
    """A home while it is made."""

    kept: bool
    """Whether it stays where making it fails."""


class HomeRefused(Refused):
    """A directory that cannot be, or is not, the home of a server."""

    code = "home_refused"


class HomeMissing(NotFound):
    """There is no server in this directory."""

    code = "home_missing"


class HomeInUse(Conflict):
    """A server of this home is running already."""

    code = "home_in_use"


class Home(Struct, frozen=True):
    """Paths below one directory."""

    path: Path

    @property
    def typed(self) -> str:
        """The directory as a shell takes it."""
        return shlex.quote(str(self.path))

    @property
    def settings_file(self) -> Path:
        return self.path / FILE_NAME

    @property
    def unfinished(self) -> Path:
        """There from the first moment of `making` to the last, so that a half-made directory is not taken for a server."""
        return self.path / "init.unfinished"

    @property
    def root_certificate(self) -> Path:
        return self.path / "certs" / "root_ca.crt"

    @property
    def issuing_certificate(self) -> Path:
        return self.path / "certs" / "issuing_ca.crt"

    @property
    def provisioner_files(self) -> Path:
        return self.path / "provisioners"

    @property
    def database_file(self) -> Path:
        """The database, unless the settings name another; what one in memory begins with."""
        return self.path / DATABASE_FILE

    @property
    def memory(self) -> Path:
        """Leads to the directory of the database in memory, while a server runs on it."""
        return self.path / MEMORY

    @property
    def addresses_file(self) -> Path:
        """Where a running server writes its addresses for commands on the same machine."""
        return self.path / "run" / "addresses.json"

    @property
    def server_certificate(self) -> Path:
        """Certificate chain and key of the listeners, where they come from our own authority."""
        return self.path / "run" / "server.pem"

    @property
    def lock_file(self) -> Path:
        """Locked while a server of this home runs; holds its process id."""
        return self.path / "run" / "server.lock"

    def server_pid(self) -> int | None:
        """The process id of the server that runs in this home, or None."""
        try:
            descriptor = os.open(self.lock_file, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return None
        with os.fdopen(descriptor) as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return int(lock.read() or 0)
            return None

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Be the only server of this home: as long as this process or a child of it lives. Another raises HomeInUse."""
        try:
            self.lock_file.parent.mkdir(mode=0o700, exist_ok=True)
            lock = os.open(self.lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as cause:
            hint = f"{self.lock_file.parent} must be a directory that the server may write to."
            raise HomeRefused(f"{self.lock_file} cannot be used: {cause.strerror}.", hint=hint) from cause
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                running = f" (pid {pid})" if (pid := self.server_pid()) else ""
                raise HomeInUse(
                    f"A server of {self.path} is running already{running}.",
                    hint="Stop it first, or choose another home with --dir.",
                ) from None
            os.ftruncate(lock, 0)
            os.write(lock, str(os.getpid()).encode())
            yield
        finally:
            os.close(lock)

    def require(self) -> Home:
        """Raise unless a server was made here and its files belong to the user of this process."""
        try:
            if self.unfinished.exists():
                raise HomeMissing(
                    f"There is no server in {self.path} yet: it was never made to its end.",
                    hint=f"Make it anew: sealwright init --dir {self.typed}",
                )
            owner = self.settings_file.stat().st_uid
        except FileNotFoundError:
            detail = f"There is no server in {self.path}: {self.settings_file.name} is missing."
            raise HomeMissing(detail, hint=self._hint_where_missing()) from None
        except OSError as cause:
            raise HomeRefused(f"{self.settings_file} cannot be read: {cause.strerror}.") from cause
        if owner not in (os.geteuid(), 0) and os.geteuid() != 0:
            raise HomeRefused(
                f"{self.path} belongs to another user (uid {owner}).",
                hint="Run this command as the user that the server runs as.",
            )
        return self

    def _hint_where_missing(self) -> str:
        if (self.path / KEY_FILE).exists():
            return "Bring the file back from your backup."
        if self.path.is_dir() and any(self.path.iterdir()):
            return "Name the directory of a server with --dir, or make one in an empty directory: sealwright init --dir DIRECTORY"
        return f"Make one: sealwright init --dir {self.typed}"

    def settings(self) -> Settings:
        """The settings of the server here, wherever the command was started."""
        return load(Home(home_directory(self.path, Environment())).require().path)

    @contextmanager
    def making(self) -> Iterator[Making]:
        """Make the directories for a new server, which no other process then makes here. What holds other files is refused.

        What fails leaves nothing behind, unless it is to be kept. What is killed or kept is an unfinished home, which the next
        `init` makes anew with the key that it found: a database elsewhere may hold secrets already that only this key opens.
        """
        try:
            new = not self.path.exists()
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            directory = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as cause:
            raise self._unusable(cause) from cause
        try:
            making = Making(kept=self._begin(directory))
            try:
                yield making
                self.unfinished.unlink()
            except BaseException:
                if not making.kept:
                    self._remove(directory_too=new)
                raise
        except OSError as cause:
            raise self._unusable(cause) from cause
        finally:
            os.close(directory)

    def _begin(self, directory: int) -> bool:
        """Take the directory for a new server; returns whether that was begun before."""
        try:
            fcntl.flock(directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            detail = f"Another command makes a server in {self.path} at this moment."
            raise HomeInUse(detail, hint="Wait until it is done.") from None
        begun_before = self.unfinished.exists()
        if not begun_before and self.settings_file.exists():
            hint = f"Choose another directory with --dir, or start it: sealwright serve --dir {self.typed}"
            raise HomeRefused(f"{self.path} holds a server already.", hint=hint)
        if not begun_before:
            self.require_empty()
        with suppress(PermissionError):  # another's, as a volume may be: `doctor` says so
            self.path.chmod(stat.S_IMODE(self.path.stat().st_mode) & ~OTHERS_WRITE)
        self.unfinished.touch(mode=0o600)
        for each in self.path.glob(f"{DATABASE_FILE}*"):
            each.unlink()
        for each in (self.root_certificate.parent, self.provisioner_files, self.addresses_file.parent):
            each.mkdir(mode=0o700, exist_ok=True)
        return begun_before

    def require_empty(self) -> None:
        """Raise HomeRefused where the directory holds something; what belongs to a volume does not count."""
        held = self._contents()
        if held:
            named = ", ".join(held[:_NAMED]) + (f" and {len(held) - _NAMED} more" if len(held) > _NAMED else "")
            detail = f"{self.path} is not empty, and what is in it is not ours: {named}."
            raise HomeRefused(detail, hint="Choose another with --dir.")

    def _contents(self) -> list[str]:
        return sorted({each.name for each in self.path.iterdir()} - OF_A_VOLUME)

    def _remove(self, *, directory_too: bool) -> None:
        for each in map(self.path.joinpath, self._contents()):
            shutil.rmtree(each) if each.is_dir() else each.unlink()
        if directory_too:
            self.path.rmdir()

    def _unusable(self, cause: OSError) -> HomeRefused:
        return HomeRefused(f"{self.path} cannot be used: {cause.strerror}.", hint="Choose another with --dir.")


def write_whole(path: Path, content: bytes, *, mode: int = 0o600) -> None:
    """Write a file so that readers see the old content or the new one, never a part."""
    descriptor, scratch = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            os.fchmod(stream.fileno(), mode)
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        Path(scratch).replace(path)
    except BaseException:
        Path(scratch).unlink(missing_ok=True)
        raise
