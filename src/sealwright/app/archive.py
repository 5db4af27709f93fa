"""The file of a backup: an archive (tar, gzip) whose last entries list its content, so that a damaged one is detected.

Its entries are ``home/…`` (files of the home directory), ``tables/…`` (rows, see `db.dump`), ``manifest.json`` and, last,
``manifest.sha256``.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO

import msgspec
from msgspec import Struct

from sealwright.clock import Instant, to_seconds
from sealwright.errors import Refused

FORMAT = 1
_MANIFEST, _DIGEST = "manifest.json", "manifest.sha256"
_PIECE = 1 << 16
_LONGEST_MANIFEST = 1 << 20
_BROKEN = (tarfile.TarError, EOFError, zlib.error, OSError, msgspec.MsgspecError, UnicodeDecodeError)


class BackupRefused(Refused):
    """A file that is not a backup, or not all of one, or from a version that this program does not know."""

    code = "backup_refused"


class Manifest(Struct, frozen=True, kw_only=True):
    """What a backup says of itself."""

    format: int
    version: str
    """Of the program that made it."""
    schema: str
    """Revision of the database."""
    made_at: Instant
    server: str
    """Its name in the settings."""
    key_proof: str
    """A text that the key-encryption key has sealed: the key that opens it is the right one."""
    has_key: bool
    """Whether that key is in the backup."""
    rows: dict[str, int]
    """Table → how many rows."""
    digests: dict[str, str]
    """Entry → SHA-256 of its content."""


class NewArchive:
    """An archive that is being written."""

    def __init__(self, stream: IO[bytes], now: Instant) -> None:
        self._tar = tarfile.open(fileobj=stream, mode="w:gz", format=tarfile.PAX_FORMAT)  # noqa: SIM115 - `finish` closes it
        self._now = now
        self.digests: dict[str, str] = {}

    def add(self, name: str, file: Path) -> None:
        """Add the content of a file."""
        with file.open("rb") as opened:
            self._add(name, opened)

    def add_content(self, name: str, content: bytes) -> None:
        """Add an entry with this content."""
        self._add(name, io.BytesIO(content))

    def _add(self, name: str, stream: IO[bytes]) -> None:
        entry = tarfile.TarInfo(name)
        entry.size = stream.seek(0, io.SEEK_END)
        entry.mode, entry.mtime = 0o600, to_seconds(self._now)
        stream.seek(0)
        self.digests[name] = hashlib.file_digest(stream, hashlib.sha256).hexdigest()  # type: ignore[arg-type] # any binary file
        stream.seek(0)
        self._tar.addfile(entry, stream)

    def finish(self, manifest: Manifest) -> None:
        """Write what is in it, and end it."""
        manifest_json = msgspec.json.encode(manifest)
        self.add_content(_MANIFEST, manifest_json)
        self.add_content(_DIGEST, hashlib.sha256(manifest_json).hexdigest().encode())
        self._tar.close()


def verified(stream: IO[bytes], name: str) -> Manifest:
    """Read a whole archive and compare it with what it says of itself; raises BackupRefused, naming the file as `name`."""
    digests: dict[str, str] = {}
    seen: set[str] = set()
    manifest_json, proof = b"", b""
    try:
        stream.seek(0)
        with gzip.GzipFile(fileobj=stream) as whole, tarfile.open(fileobj=whole, mode="r:") as tar:
            for entry in tar:
                content = tar.extractfile(entry) if entry.isreg() else None
                if content is None or not _is_entry(entry.name):
                    raise BackupRefused(f"{name} holds {entry.name!r}, which no backup has.", hint=_OTHER)
                if entry.name in seen:
                    raise BackupRefused(f"{name} holds {entry.name!r} twice.", hint=_OTHER)
                seen.add(entry.name)
                if entry.name in (_MANIFEST, _DIGEST):
                    read = content.read(_LONGEST_MANIFEST)
                    manifest_json, proof = (read, proof) if entry.name == _MANIFEST else (manifest_json, read)
                    continue
                digest = hashlib.sha256()
                while piece := content.read(_PIECE):
                    digest.update(piece)
                digests[entry.name] = digest.hexdigest()
            while whole.read(_PIECE):  # to its end, where its length and check sum are
                pass
        if not proof or hashlib.sha256(manifest_json).hexdigest().encode() != proof:
            raise BackupRefused(f"{name} is not whole: its end is missing or was changed.", hint=_OTHER)
        _require_known_format(manifest_json, name)
        manifest = msgspec.json.decode(manifest_json, type=Manifest)
    except _BROKEN as cause:
        raise BackupRefused(f"{name} is not a backup, or is damaged: {_reason(cause)}.", hint=_OTHER) from cause
    changed = sorted(each for each in digests.keys() | manifest.digests.keys() if digests.get(each) != manifest.digests.get(each))
    if changed:
        raise BackupRefused(f"{name} is damaged: {changed[0]} is not what was saved.", hint=_OTHER)
    return manifest


def entries(stream: IO[bytes]) -> Iterator[tuple[str, IO[bytes]]]:
    """The entries of a verified archive, in order; each must be read before the next."""
    stream.seek(0)
    with tarfile.open(fileobj=stream, mode="r:gz") as tar:
        for entry in tar:
            content = tar.extractfile(entry)
            if content is not None and entry.name not in (_MANIFEST, _DIGEST):
                yield entry.name, content


_OTHER = "Take another backup; this one cannot be restored."


def _require_known_format(manifest_json: bytes, name: str) -> None:
    class Start(Struct):
        format: int
        version: str = ""

    start = msgspec.json.decode(manifest_json, type=Start)
    if start.format > FORMAT:
        raise BackupRefused(
            f"{name} was made by Sealwright {start.version} in format {start.format}; this program knows up to {FORMAT}.",
            hint="Restore it with the version that made it, or a later one.",
        )


def _is_entry(name: str) -> bool:
    """Whether a backup has an entry of this name, written as a backup writes it.

    What follows ``home/`` becomes a path below the home directory: ``home//etc/x`` would be one from the root on.
    """
    place = PurePosixPath(name)
    parts = place.parts
    if name in (_MANIFEST, _DIGEST):
        return True
    if not name.isprintable() or str(place) != name or ".." in parts:
        return False
    return (len(parts) > 1 and parts[0] == "home") or (len(parts), parts[0]) == (2, "tables")


def _reason(cause: Exception) -> str:
    return (str(cause).splitlines() or [type(cause).__name__])[0].rstrip(".").lower()
