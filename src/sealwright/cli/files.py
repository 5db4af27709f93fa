"""Files that a command writes: whole or not at all, and private where they hold a secret."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from sealwright.cli.errors import Clash, CommandFailed, Missing, WrongUsage

PRIVATE = 0o600


class NewFile:
    """Content on its way into place: written beside its target, then moved there in one step."""

    def __init__(self, target: Path, content: bytes, *, mode: int = PRIVATE) -> None:
        """Write `content` into a hidden file in the target's directory, durably; nothing can be seen at `target` yet."""
        import tempfile

        self._target = target
        try:
            handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        except OSError as cause:
            raise CommandFailed(f"{target} cannot be written: {_reason(cause)}.") from cause
        self._made = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                os.fchmod(file.fileno(), mode)
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        except OSError as cause:
            self.discard()
            raise CommandFailed(f"{target} cannot be written: {_reason(cause)}.") from cause

    def place(self, *, replace: bool) -> None:
        """Move it to its target. With `replace` false an existing file is left alone and Clash is raised."""
        try:
            if replace:
                self._made.replace(self._target)
            else:
                os.link(self._made, self._target)
                self._made.unlink()
        except FileExistsError as cause:
            raise already_there(self._target) from cause
        except OSError as cause:
            raise CommandFailed(f"{self._target} cannot be written: {_reason(cause)}.") from cause

    def discard(self) -> None:
        """Remove what was written, unless it is in place."""
        with suppress(OSError):
            self._made.unlink()


def require_writable(directory: Path) -> None:
    """Refuse a directory in which no file can be made."""
    import tempfile

    try:
        handle, name = tempfile.mkstemp(prefix=".sealwright.", dir=directory)
        os.close(handle)
        Path(name).unlink()
    except OSError as cause:
        raise CommandFailed(f"nothing can be written in {directory.absolute()}: {_reason(cause)}.") from cause


def write_private(target: Path, content: bytes) -> None:
    """Replace `target` by a file that only its owner may read; makes its directory (0700) when there is none."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as cause:
        raise CommandFailed(f"{target.parent} cannot be made: {_reason(cause)}.") from cause
    file = NewFile(target, content)
    try:
        file.place(replace=True)
    finally:
        file.discard()


def typed_path(text: str) -> Path:
    """A path as it was typed; WrongUsage where it begins with a ``~`` of an unknown user."""
    from sealwright.settings.paths import expanded

    try:
        return expanded(text)
    except ValueError as cause:
        raise WrongUsage(f"{text} {cause}.", hint="Write the path from the root on.") from None


def read_bytes(file: Path, *, at_most: int = 1_000_000) -> bytes:
    """The content of a file that the user named."""
    try:
        with file.open("rb") as opened:
            content = opened.read(at_most + 1)
    except FileNotFoundError as cause:
        raise Missing(f"there is no file {file}.") from cause
    except OSError as cause:
        raise CommandFailed(f"{file} cannot be read: {_reason(cause)}.") from cause
    if len(content) > at_most:
        raise CommandFailed(f"{file} is longer than {at_most} bytes.")
    return content


def already_there(file: Path) -> Clash:
    """The refusal to overwrite."""
    return Clash(f"{file} is there already.", hint="Choose another name, or overwrite it with --force.")


def _reason(cause: OSError) -> str:
    return (cause.strerror or type(cause).__name__).lower()
